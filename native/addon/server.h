// What areas that run a server inside Node share.
#pragma once

#include <napi.h>

#include <string>

#include "servers/options.h"

namespace addon {

/// Fills in the options from an array of words, as a server program takes them. Returns what is wrong in one sentence;
/// nothing when all is well, or when an exception is pending (Words).
std::string read_options(const Napi::Array& arguments, servers::Options& options);

}  // namespace addon
