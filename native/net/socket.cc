#include "net/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

#include <cerrno>
#include <cstring>

namespace net {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;  // macOS: SO_NOSIGPIPE is set on every socket instead
#endif

int set_option(int fd, int level, int name, int value) noexcept {
  return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

// Systems without SOCK_NONBLOCK and accept4 (macOS) need two more calls.
[[maybe_unused]] int make_non_blocking(int fd) noexcept {
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -errno;
#ifdef SO_NOSIGPIPE
  return set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#else
  return 0;
#endif
}

int close_with(int fd, int error) noexcept {
  close(fd);
  return error;
}

}  // namespace

std::uint16_t Address::port() const noexcept {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return 0;
}

void Address::set_port(std::uint16_t port) noexcept {
  if (family() == AF_INET) reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
  if (family() == AF_INET6) reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
}

bool Address::loopback() const noexcept {
  if (family() == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr) >> 24) == 127;
  }
  return family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr);
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  const void* ip = family() == AF_INET
                       ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr)
                       : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr);
  inet_ntop(family(), ip, text, sizeof text);
  return text;
}

bool parse_address(std::string_view host, std::uint16_t port, Address& out) noexcept {
  char text[INET6_ADDRSTRLEN];
  if (host.size() >= sizeof text) return false;
  std::memcpy(text, host.data(), host.size());
  text[host.size()] = '\0';
  out = Address{};
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    out.length = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    out.length = sizeof(sockaddr_in6);
  } else {
    return false;
  }
  out.set_port(port);
  return true;
}

int open_socket(int family, int type) noexcept {
#ifdef SOCK_NONBLOCK
  const int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
#else
  const int fd = socket(family, type, 0);
  if (fd < 0) return -errno;
  const int error = make_non_blocking(fd);
  return error < 0 ? close_with(fd, error) : fd;
#endif
}

int take_out_pacing([[maybe_unused]] int fd) noexcept {
#ifdef __linux__
  return set_congestion_control(fd, "reno");
#else
  return 0;
#endif
}

int set_congestion_control([[maybe_unused]] int fd, [[maybe_unused]] std::string_view name) noexcept {
#ifdef TCP_CONGESTION
  const auto size = static_cast<socklen_t>(name.size());
  return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(), size) == 0 ? 0 : -errno;
#else
  return -ENOTSUP;
#endif
}

std::string congestion_control([[maybe_unused]] int fd) {
#ifdef TCP_CONGESTION
  char name[64] = {};
  socklen_t length = sizeof name - 1;
  if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length) == 0) return name;
#endif
  return "";
}

namespace {

/// `spread`: an option of SOL_SOCKET, 0 for none.
int listen_with(const Address& address, int backlog, int spread) noexcept {
  const int fd = open_socket(address.family(), SOCK_STREAM);
  if (fd < 0) return fd;
  int error = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (error == 0 && spread != 0) error = set_option(fd, SOL_SOCKET, spread, 1);
  if (error == 0) error = set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  // A system that refuses goes on with what it has, and the hello says which that is.
  take_out_pacing(fd);
  if (error == 0 && (bind(fd, address.raw(), address.length) != 0 || listen(fd, backlog) != 0)) error = -errno;
  return error < 0 ? close_with(fd, error) : fd;
}

}  // namespace

int listen_tcp(const Address& address, int backlog) noexcept { return listen_with(address, backlog, 0); }

int listen_tcp_spread([[maybe_unused]] const Address& address, [[maybe_unused]] int backlog) noexcept {
#if defined(SO_REUSEPORT_LB)  // FreeBSD, whose SO_REUSEPORT gives the last one bound everything
  return listen_with(address, backlog, SO_REUSEPORT_LB);
#elif defined(__linux__)
  return listen_with(address, backlog, SO_REUSEPORT);
#else
  return -ENOTSUP;
#endif
}

int poll_busily([[maybe_unused]] int fd, [[maybe_unused]] int microseconds) noexcept {
#ifdef SO_BUSY_POLL
  return set_option(fd, SOL_SOCKET, SO_BUSY_POLL, microseconds);
#else
  return -ENOTSUP;
#endif
}

int busy_poll([[maybe_unused]] int fd) noexcept {
  int microseconds = 0;
#ifdef SO_BUSY_POLL
  socklen_t length = sizeof microseconds;
  if (getsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &microseconds, &length) != 0) microseconds = 0;
#endif
  return microseconds;
}

int listen_backlog([[maybe_unused]] int listener, int asked) noexcept {
  int most = 0;
#if defined(__linux__)
  tcp_info info{};
  socklen_t length = sizeof info;
  // Of a socket that listens, this member is the limit of its queue.
  if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) most = static_cast<int>(info.tcpi_sacked);
#elif defined(SO_LISTENQLIMIT)
  socklen_t length = sizeof most;
  if (getsockopt(listener, SOL_SOCKET, SO_LISTENQLIMIT, &most, &length) != 0) most = 0;
#endif
  return most > 0 ? most : asked;
}

std::string listen_refusal(const Address& address, int error) {
  const std::string where = address.host() + " port " + std::to_string(address.port());
  if (error == EADDRINUSE) return where + " is in use: choose another port, or 0 for any free one";
  return "cannot listen on " + where + ": " + std::strerror(error);
}

int accept_connection(int listener) noexcept {
#ifdef SOCK_NONBLOCK
  const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd < 0 ? -errno : fd;
#else
  const int fd = accept(listener, nullptr, nullptr);
  if (fd < 0) return -errno;
  const int error = make_non_blocking(fd);
  return error < 0 ? close_with(fd, error) : fd;
#endif
}

int connect_tcp(const Address& address, const Address* source) noexcept {
  const int fd = open_socket(address.family(), SOCK_STREAM);
  if (fd < 0) return fd;
  int error = set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  take_out_pacing(fd);
  if (error == 0 && source != nullptr) {
#ifdef IP_BIND_ADDRESS_NO_PORT
    // connect() then chooses the port, knowing the whole four-tuple: every source address has all its ports.
    set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
#endif
    if (bind(fd, source->raw(), source->length) != 0) error = -errno;
  }
  if (error == 0 && connect(fd, address.raw(), address.length) != 0 && errno != EINPROGRESS) error = -errno;
  return error < 0 ? close_with(fd, error) : fd;
}

// The C library's recv and send are cancellation points, which costs a process with threads (Node) atomic operations on
// every call. The bare system calls cost all servers the same.
ssize_t receive(int fd, std::span<std::byte> into) noexcept {
#ifdef __linux__
  const ssize_t n = syscall(SYS_recvfrom, fd, into.data(), into.size(), 0, nullptr, nullptr);
#else
  const ssize_t n = recv(fd, into.data(), into.size(), 0);
#endif
  return n < 0 ? -errno : n;
}

ssize_t transmit(int fd, std::span<const std::byte> bytes) noexcept {
#ifdef __linux__
  const ssize_t n = syscall(SYS_sendto, fd, bytes.data(), bytes.size(), kSendFlags, nullptr, 0);
#else
  const ssize_t n = send(fd, bytes.data(), bytes.size(), kSendFlags);
#endif
  return n < 0 ? -errno : n;
}

int take_error(int fd) noexcept {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

Address local_address(int fd) noexcept {
  Address address;
  address.length = sizeof address.storage;
  if (getsockname(fd, address.raw(), &address.length) != 0) address = Address{};
  return address;
}

bool would_block(ssize_t result) noexcept { return result == -EAGAIN || result == -EWOULDBLOCK; }

}  // namespace net
