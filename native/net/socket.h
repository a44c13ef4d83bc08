// Non-blocking sockets: the few calls every server and client here makes, with errors as negative errno.
// Portable to Linux, FreeBSD, NetBSD and macOS; knows no readiness and no protocol.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace net {

/// An IPv4 or IPv6 socket address.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* raw() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* raw() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
  std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;
  bool loopback() const noexcept;
  /// Numeric host without the port: "127.0.0.1", "::1".
  std::string host() const;
};

/// Reads a numeric address ("127.0.0.1", "::1"); names are not looked up. False when it is not one.
bool parse_address(std::string_view host, std::uint16_t port, Address& out) noexcept;

/// A non-blocking, close-on-exec socket of the address's family, or -errno.
int open_socket(int family, int type) noexcept;

/// Takes pacing out of a TCP socket, and of those that it accepts: under a congestion control that paces (bbr) timers of
/// the kernel decide when a reply leaves, and not the dispatch that is measured. Linux: "reno", which every kernel has and
/// allows to everybody; elsewhere nothing paces unless asked. 0 or -errno.
int take_out_pacing(int fd) noexcept;

/// Sets the congestion control of a TCP socket, and of those that it accepts. 0 or -errno: -ENOENT where the system has none of
/// that name, -EPERM where it is not for everybody, -ENOTSUP where it lets nobody choose.
int set_congestion_control(int fd, std::string_view name) noexcept;

/// Congestion control of a TCP socket by the system's name for it; empty where the system does not tell.
std::string congestion_control(int fd);

/// Listening TCP socket with SO_REUSEADDR, TCP_NODELAY and no pacing, which accepted sockets inherit on every system named
/// above; or -errno.
int listen_tcp(const Address& address, int backlog) noexcept;

/// The same of one of several sockets on one port, among which the system spreads connections. -ENOTSUP where it only lets
/// them be bound.
int listen_tcp_spread(const Address& address, int backlog) noexcept;

/// Has system calls on a socket, and on those that it accepts, ask the network card for packets for so many microseconds
/// before they sleep (SO_BUSY_POLL). 0 or -errno; -ENOTSUP where the system has no such thing.
int poll_busily(int fd, int microseconds) noexcept;
/// For how long that is now; 0 where nobody asked.
int busy_poll(int fd) noexcept;

/// Most connections that may wait at a listening socket: systems cut down silently what they are asked for. `asked`
/// where the system does not tell.
int listen_backlog(int listener, int asked) noexcept;

/// One sentence for a person on why listening on `address` failed with the errno `error`.
std::string listen_refusal(const Address& address, int error);

/// Next waiting connection as a non-blocking, close-on-exec descriptor, or -errno (-EAGAIN: none waits).
int accept_connection(int listener) noexcept;

/// Starts a TCP connection with TCP_NODELAY and no pacing; the descriptor turns writable when it stands or failed (see take_error).
/// `source`: local address to connect from, its port 0; null leaves the choice to the system.
/// Returns the descriptor or -errno.
int connect_tcp(const Address& address, const Address* source = nullptr) noexcept;

/// Bytes read, 0 at the peer's end of stream, or -errno. One recv(2).
ssize_t receive(int fd, std::span<std::byte> into) noexcept;

/// Bytes the kernel took (maybe fewer), or -errno. One send(2); never raises SIGPIPE.
ssize_t transmit(int fd, std::span<const std::byte> bytes) noexcept;

/// Pending error of a socket (SO_ERROR), which reading clears; 0 when there is none.
int take_error(int fd) noexcept;

/// Address the socket is bound to; length 0 when it has none.
Address local_address(int fd) noexcept;

/// True for the errno values by which a non-blocking call says "later".
bool would_block(ssize_t result) noexcept;

}  // namespace net
