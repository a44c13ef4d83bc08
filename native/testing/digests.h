// The digest area of the addon that tests use.
#pragma once

#include <napi.h>

namespace testing {

void export_digests(Napi::Env env, Napi::Object exports);

}  // namespace testing
