// What the load areas of the addon share: how a histogram and error counts reach JavaScript.
#pragma once

#include "addon/environment.h"
#include "load/errors.h"
#include "load/histogram.h"

namespace addon {

/// {values, counts}: two Float64Arrays with an element for each cell that counted something.
Napi::Object histogram_object(Napi::Env env, const load::Histogram& histogram);

}  // namespace addon
