// The area of the addon that tests use for rings of io_uring.
#pragma once

#include <napi.h>

namespace testing {

void export_uring(Napi::Env env, Napi::Object exports);

}  // namespace testing
