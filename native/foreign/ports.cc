#include "foreign/ports.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace foreign {
namespace {

/// 0 or an errno; `address` learns the port.
int bind_one(bool datagrams, net::Address& address, std::vector<int>& sockets) {
  const int fd = net::open_socket(address.family(), datagrams ? SOCK_DGRAM : SOCK_STREAM);
  if (fd < 0) return -fd;
  sockets.push_back(fd);
  const int on = 1;
  // Else connections of a server that has just ended would keep its port.
  if (!datagrams) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, address.raw(), address.length) != 0) return errno;
  if (address.port() == 0) address.set_port(net::local_address(fd).port());
  return 0;
}

/// All of `ports` from the address's on, at once. `address` holds the one that failed.
int bind_all(bool datagrams, net::Address& address, std::uint16_t ports) {
  std::vector<int> sockets;
  int error = bind_one(datagrams, address, sockets);
  const std::uint16_t first = address.port();
  if (error == 0 && first + ports - 1 > 65535) error = EADDRINUSE;
  for (std::uint16_t i = 1; error == 0 && i < ports; ++i) {
    address.set_port(static_cast<std::uint16_t>(first + i));
    error = bind_one(datagrams, address, sockets);
  }
  for (const int fd : sockets) close(fd);
  if (error == 0) address.set_port(first);
  return error;
}

}  // namespace

std::string reserve_ports(Options& options) {
  constexpr int kTries = 100;
  const bool any = options.address.port() == 0;
  int error = EADDRINUSE;
  net::Address address;
  for (int i = 0; i < (any ? kTries : 1) && error == EADDRINUSE; ++i) {
    address = options.address;
    error = bind_all(options.datagrams(), address, options.ports);
  }
  if (error != 0) return net::listen_refusal(address, error);
  options.address = address;
  return "";
}

bool accepts_connection(const net::Address& address) {
  net::Address target = address;
  // The wildcard address is no target everywhere; what listens there answers on loopback.
  if (target.host() == "0.0.0.0") net::parse_address("127.0.0.1", address.port(), target);
  if (target.host() == "::") net::parse_address("::1", address.port(), target);
  const int fd = net::connect_tcp(target);
  if (fd < 0) return false;
  pollfd one{fd, POLLOUT, 0};
  const bool connected = poll(&one, 1, 200) == 1 && net::take_error(fd) == 0;
  close(fd);
  return connected;
}

}  // namespace foreign
