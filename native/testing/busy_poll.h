// The busy polling area of the addon that tests use.
#pragma once

#include <napi.h>

namespace testing {

void export_busy_poll(Napi::Env env, Napi::Object exports);

}  // namespace testing
