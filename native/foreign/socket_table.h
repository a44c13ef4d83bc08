// What the kernel knows of the sockets on a server's ports, in this network namespace.
#pragma once

#include <cstdint>

namespace foreign {

struct SocketCount {
  std::uint64_t sockets = 0;
  std::uint32_t ports = 0;  ///< ports of the range with at least one of them
};

/// TCP connections whose local port is `port` (ESTABLISHED, those in the accept queue included), or UDP sockets bound to
/// one of `ports` ports from it on.
SocketCount established_connections(std::uint16_t port);
SocketCount bound_datagram_sockets(std::uint16_t port, std::uint16_t ports);

}  // namespace foreign
