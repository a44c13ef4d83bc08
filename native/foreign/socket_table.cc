// sock_diag(7) where it exists: binary, and filtered by port in the kernel. Sandboxes without it have /proc/net.
#ifdef __linux__
#include "foreign/socket_table.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "foreign/proc_file.h"

namespace foreign {
namespace {

/// What is looked for.
struct Query {
  int protocol;                ///< IPPROTO_TCP or IPPROTO_UDP
  std::uint32_t states;        ///< bit 1 << state
  std::uint16_t port;
  std::uint16_t ports;
};

class Tally {
 public:
  explicit Tally(const Query& query) : query_(query), seen_(query.ports) {}
  void add(std::uint16_t port) {
    const auto at = static_cast<std::uint16_t>(port - query_.port);
    if (at >= query_.ports) return;
    ++count_.sockets;
    count_.ports += !seen_[at];
    seen_[at] = true;
  }
  const SocketCount& count() const noexcept { return count_; }

 private:
  const Query& query_;
  std::vector<bool> seen_;
  SocketCount count_;
};

bool ask(int fd, const Query& query, std::uint8_t family) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } message = {};
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = family;
  message.request.sdiag_protocol = static_cast<std::uint8_t>(query.protocol);
  message.request.idiag_states = query.states;
  if (query.ports == 1) message.request.id.idiag_sport = htons(query.port);
  return send(fd, &message, sizeof message, 0) == static_cast<ssize_t>(sizeof message);
}

/// False when the kernel does not answer such questions.
bool take_answers(int fd, Tally& tally) {
  alignas(nlmsghdr) char bytes[32768];
  while (true) {
    const ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    auto left = static_cast<unsigned>(n);
    for (auto* header = reinterpret_cast<nlmsghdr*>(bytes); NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == NLMSG_DONE) return true;
      if (header->nlmsg_type == NLMSG_ERROR) return false;
      tally.add(ntohs(static_cast<const inet_diag_msg*>(NLMSG_DATA(header))->id.idiag_sport));
    }
  }
}

bool by_sock_diag(const Query& query, Tally& tally) {
  const int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return false;
  bool answered = true;
  for (const int family : {AF_INET, AF_INET6}) {
    answered = answered && ask(fd, query, static_cast<std::uint8_t>(family)) && take_answers(fd, tally);
  }
  close(fd);
  return answered;
}

void by_proc_net(const Query& query, Tally& tally) {
  const std::string name = query.protocol == IPPROTO_TCP ? "tcp" : "udp";
  for (const char* version : {"", "6"}) {
    std::istringstream lines(read_file("/proc/net/" + name + version).value_or(""));
    for (std::string line; std::getline(lines, line);) {
      unsigned port = 0;
      unsigned state = 0;
      const int fields = std::sscanf(line.c_str(), " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &port, &state);
      if (fields == 2 && state < 32 && (query.states >> state & 1) != 0) tally.add(static_cast<std::uint16_t>(port));
    }
  }
}

SocketCount count(const Query& query) {
  Tally tally(query);
  if (by_sock_diag(query, tally)) return tally.count();
  Tally again(query);
  by_proc_net(query, again);
  return again.count();
}

}  // namespace

SocketCount established_connections(std::uint16_t port) { return count({IPPROTO_TCP, 1u << TCP_ESTABLISHED, port, 1}); }

SocketCount bound_datagram_sockets(std::uint16_t port, std::uint16_t ports) {
  // Bound sockets are in state CLOSE, connected ones ESTABLISHED.
  return count({IPPROTO_UDP, 1u << TCP_CLOSE | 1u << TCP_ESTABLISHED, port, ports});
}

}  // namespace foreign
#endif
