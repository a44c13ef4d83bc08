// How long QEMU's xbzrle makes a page of which the other side has an older version (docs/xbzrle.txt of QEMU: runs of bytes that
// are the same and runs of those that are not, their lengths as ULEB128), for a comparison of the encodings alone.
#pragma once

#include <cstddef>
#include <span>

#include "migrate/format.h"

namespace migrate {

inline constexpr std::size_t kXbzrleHead = 8 + 1 + 2;  // page and flags, encoding, length
inline constexpr std::size_t kPlainHead = 8;
inline constexpr std::size_t kZeroPage = 8 + 1;

inline std::size_t uleb128_bytes(std::size_t number) noexcept { return number < 0x80 ? 1 : 2; }

/// Bytes on the wire for a page that is no longer what it was; one that is longer so than as it is goes as it is.
inline std::size_t xbzrle_bytes(std::span<const std::byte> now, std::span<const std::byte> before) noexcept {
  std::size_t encoded = 0;
  for (std::size_t at = 0; at < now.size();) {
    std::size_t end = at;
    while (end < now.size() && now[end] == before[end]) ++end;
    // What is the same until the end is not told.
    if (end == now.size()) break;
    encoded += uleb128_bytes(end - at);
    at = end;
    while (end < now.size() && now[end] != before[end]) ++end;
    encoded += uleb128_bytes(end - at) + (end - at);
    at = end;
  }
  return encoded < now.size() ? kXbzrleHead + encoded : kPlainHead + now.size();
}

}  // namespace migrate
