// The load area of the addon that tests use.
#pragma once

#include <napi.h>

namespace testing {

void export_load(Napi::Env env, Napi::Object exports);

}  // namespace testing
