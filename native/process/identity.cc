#include "process/identity.h"

#include <sys/utsname.h>

#ifndef DISPATCHBENCH_FLAGS
#define DISPATCHBENCH_FLAGS "not recorded by this build"
#endif

namespace process {

std::string kernel_release() {
  utsname name{};
  uname(&name);
  return std::string(name.sysname) + " " + name.release;
}

const char* compiler() noexcept {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

const char* compiler_flags() noexcept { return DISPATCHBENCH_FLAGS; }

}  // namespace process
