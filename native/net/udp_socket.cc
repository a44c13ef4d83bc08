#include "net/udp_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#if defined(__linux__)
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#endif

namespace net {

namespace {

bool set_option(int fd, int level, int name, int value) noexcept {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

int configure(int fd, const Address& local, const UdpOptions& options) noexcept {
  if (options.receive_buffer > 0 && !set_option(fd, SOL_SOCKET, SO_RCVBUF, options.receive_buffer)) return errno;
  if (options.send_buffer > 0 && !set_option(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer)) return errno;
#if defined(__linux__)
  if (options.report_errors) {
    const bool v6 = local.family() == AF_INET6;
    if (!set_option(fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVERR : IP_RECVERR, 1)) return errno;
  }
#endif
  return bind(fd, local.raw(), local.length) == 0 ? 0 : errno;
}

}  // namespace

std::uint16_t port_of(const sockaddr_storage& address) noexcept {
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

int open_udp(const Address& local, const UdpOptions& options) noexcept {
  const int fd = open_socket(local.family(), SOCK_DGRAM);
  if (fd < 0) return fd;
  const int error = configure(fd, local, options);
  if (error == 0) return fd;
  close(fd);
  return -error;
}

std::int64_t socket_drops([[maybe_unused]] int fd) noexcept {
#if defined(SO_MEMINFO)
  std::uint32_t memory[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof memory;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) == 0 && length > SK_MEMINFO_DROPS * sizeof memory[0]) {
    return memory[SK_MEMINFO_DROPS];
  }
#endif
  return -1;
}

bool take_datagram_error([[maybe_unused]] int fd, [[maybe_unused]] DatagramError& error, [[maybe_unused]] std::uint8_t* payload,
                [[maybe_unused]] std::size_t capacity) noexcept {
#if defined(__linux__)
  iovec part{payload, capacity};
  alignas(cmsghdr) char control[512];
  msghdr message{};
  message.msg_name = &error.target;
  message.msg_namelen = sizeof error.target;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t length = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
  if (length < 0) return false;
  error.error = 0;
  error.length = static_cast<std::size_t>(length);
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
    const bool v4 = item->cmsg_level == SOL_IP && item->cmsg_type == IP_RECVERR;
    const bool v6 = item->cmsg_level == SOL_IPV6 && item->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    sock_extended_err detail;
    std::memcpy(&detail, CMSG_DATA(item), sizeof detail);
    error.error = static_cast<int>(detail.ee_errno);
  }
  return true;
#else
  return false;
#endif
}

}  // namespace net
