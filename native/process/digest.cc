#include "process/digest.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "process/sha256.h"

namespace process {

std::string file_digest(const char* path) {
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return "unknown";
  std::vector<std::uint8_t> bytes;
  std::array<std::uint8_t, 65536> chunk;
  while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), file)) {
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
  }
  std::fclose(file);
  return hex(sha256(bytes)).substr(0, 16);
}

}  // namespace process
