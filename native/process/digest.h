// Names the program that produced a figure.
#pragma once

#include <string>

namespace process {

/// First 16 hexadecimal characters of the file's SHA-256; "unknown" when it cannot be read.
std::string file_digest(const char* path);

}  // namespace process
