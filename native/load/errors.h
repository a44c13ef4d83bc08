// What can go wrong with a request or a connection, by kind; the names are those of src/contract/load.ts.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace load {

enum class ErrorKind : std::uint8_t {
  refused,
  reset,
  timeout,
  address_unavailable,
  descriptor_unavailable,
  mismatch,
  status,
  closed,
  other,
};
inline constexpr std::array kErrorNames{"refused",  "reset",  "timeout", "addressUnavailable", "descriptorUnavailable",
                                        "mismatch", "status", "closed",  "other"};
using ErrorCounts = std::array<std::uint64_t, kErrorNames.size()>;

constexpr ErrorKind classify(int errno_value) noexcept {
  switch (errno_value) {
    case ECONNREFUSED: return ErrorKind::refused;
    case ECONNRESET:
    case EPIPE: return ErrorKind::reset;
    case ETIMEDOUT: return ErrorKind::timeout;
    case EADDRNOTAVAIL: return ErrorKind::address_unavailable;
    case EMFILE:
    case ENFILE: return ErrorKind::descriptor_unavailable;
    default: return ErrorKind::other;
  }
}

}  // namespace load
