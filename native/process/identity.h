// What a program is and runs on: the kernel under it, and how it was compiled.
#pragma once

#include <string>

namespace process {

/// Operating system and release as uname(2) gives them.
std::string kernel_release();

/// Compiler and its version / the flags this was built with, where the build passes them on.
const char* compiler() noexcept;
const char* compiler_flags() noexcept;

}  // namespace process
