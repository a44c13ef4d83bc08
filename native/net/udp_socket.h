// Datagram sockets: opening with the options both ends need, and what the kernel knows about lost datagrams.
#pragma once

#include <cstdint>

#include "net/socket.h"

namespace net {

/// Port of a socket address; 0 when it is neither IPv4 nor IPv6.
std::uint16_t port_of(const sockaddr_storage& address) noexcept;

struct UdpOptions {
  int receive_buffer = 0;     ///< SO_RCVBUF in bytes; 0 leaves the system's default
  int send_buffer = 0;        ///< SO_SNDBUF in bytes; 0 leaves the system's default
  bool report_errors = false; ///< ICMP errors are kept for take_datagram_error() (IP_RECVERR; Linux)
};

/// Opens a non-blocking datagram socket bound to `local`. Returns the descriptor or a negative errno.
int open_udp(const Address& local, const UdpOptions& options) noexcept;

/// Datagrams the kernel dropped at this socket since it was opened, mostly because its buffer was full (the counter
/// that SO_RXQ_OVFL reports and /proc/net/udp prints); -1 where the system does not tell.
std::int64_t socket_drops(int fd) noexcept;

/// One error that came back for a datagram sent earlier.
struct DatagramError {
  int error = 0;             ///< errno: ECONNREFUSED for ICMP port unreachable
  sockaddr_storage target{}; ///< where the datagram was sent
  std::size_t length = 0;    ///< bytes of the datagram's beginning that came back with the error
};

/// Takes the next queued error and, as far as it came back, the datagram itself. False when there is none.
bool take_datagram_error(int fd, DatagramError& error, std::uint8_t* payload, std::size_t capacity) noexcept;

}  // namespace net
