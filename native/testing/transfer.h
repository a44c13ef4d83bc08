// The area of the addon that tests use for bulk transfers.
#pragma once

#include <napi.h>

namespace testing {

void export_transfer(Napi::Env env, Napi::Object exports);

}  // namespace testing
