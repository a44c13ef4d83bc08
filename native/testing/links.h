// The area of the addon that tests use for emulated links.
#pragma once

#include <napi.h>

namespace testing {

void export_links(Napi::Env env, Napi::Object exports);

}  // namespace testing
