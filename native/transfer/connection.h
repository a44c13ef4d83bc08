// What Linux tells of a connection, and what it is asked for; elsewhere nothing is known, and nothing asked.
#pragma once

#ifdef __linux__
#include <linux/tcp.h>
#include <netinet/in.h>
#endif
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "process/clock.h"

namespace transfer {

#ifdef __linux__
/// Zeros where the connection is none any more.
inline tcp_info info_of(int fd) noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
  return info;
}
#endif

/// Segments that were sent again; -1 where the system does not tell.
inline std::int64_t retransmits([[maybe_unused]] int fd) noexcept {
#ifdef __linux__
  return info_of(fd).tcpi_total_retrans;
#else
  return -1;
#endif
}

/// Bytes that the other side has acknowledged.
inline std::uint64_t acknowledged([[maybe_unused]] int fd) noexcept {
#ifdef __linux__
  return info_of(fd).tcpi_bytes_acked;
#else
  return 0;
#endif
}

inline process::Nanoseconds round_trip([[maybe_unused]] int fd) noexcept {
#ifdef __linux__
  return process::Nanoseconds{info_of(fd).tcpi_rtt} * 1000;
#else
  return 0;
#endif
}

/// Has the connection told of as readable from so many bytes on, or at its end. A system that refuses tells of each.
inline void gather([[maybe_unused]] int fd, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef __linux__
  const auto low = static_cast<int>(bytes);
  setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
#endif
}

}  // namespace transfer
