#ifdef __linux__
#include "foreign/fork_count.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace foreign {
namespace {

/// Values of the kernel's interface: its headers have had the names in other scopes from Linux 6.6 on.
constexpr std::uint32_t kForked = 0x00000001;
constexpr std::uint32_t kExited = 0x80000000;

constexpr int kReceiveBuffer = 8 << 20;
constexpr int kAnswerMs = 200;

/// The event in a message of the connector; false when it is another's message.
bool event_of(const nlmsghdr* header, proc_event& event) {
  const auto* message = static_cast<const cn_msg*>(NLMSG_DATA(header));
  if (header->nlmsg_len < NLMSG_LENGTH(sizeof(cn_msg)) || message->id.idx != CN_IDX_PROC) return false;
  // Not all of the union is sent by every kernel.
  std::memset(&event, 0, sizeof event);
  std::memcpy(&event, message->data, message->len < sizeof event ? message->len : sizeof event);
  return true;
}

}  // namespace

ForkCount::ForkCount() {
  known_ = subscribe();
  if (known_) return;
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

ForkCount::~ForkCount() {
  if (fd_ >= 0) close(fd_);
}

bool ForkCount::subscribe() noexcept {
  fd_ = socket(PF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_CONNECTOR);
  if (fd_ < 0) return false;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return false;
  setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  alignas(nlmsghdr) char request[NLMSG_SPACE(sizeof(cn_msg) + sizeof(proc_cn_mcast_op))] = {};
  auto* header = reinterpret_cast<nlmsghdr*>(request);
  header->nlmsg_len = NLMSG_LENGTH(sizeof(cn_msg) + sizeof(proc_cn_mcast_op));
  header->nlmsg_type = NLMSG_DONE;
  auto* message = static_cast<cn_msg*>(NLMSG_DATA(header));
  message->id = {CN_IDX_PROC, CN_VAL_PROC};
  message->len = sizeof(proc_cn_mcast_op);
  constexpr proc_cn_mcast_op kListen = PROC_CN_MCAST_LISTEN;
  std::memcpy(message->data, &kListen, sizeof kListen);
  if (send(fd_, request, header->nlmsg_len, 0) < 0) return false;
  // The kernel answers the request; where it ignores it (another PID or user namespace), nothing comes.
  for (pollfd one{fd_, POLLIN, 0}; poll(&one, 1, kAnswerMs) == 1;) {
    alignas(nlmsghdr) char bytes[4096];
    const ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
    proc_event event;
    if (n < static_cast<ssize_t>(NLMSG_HDRLEN) || !event_of(reinterpret_cast<nlmsghdr*>(bytes), event)) return false;
    if (event.what == 0) return event.event_data.ack.err == 0;  // PROC_EVENT_NONE
  }
  return false;
}

void ForkCount::take() {
  alignas(nlmsghdr) char bytes[8192];
  while (fd_ >= 0) {
    const ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ENOBUFS) {
      known_ = false;
      continue;
    }
    if (n <= 0) return;
    auto left = static_cast<unsigned>(n);
    for (auto* header = reinterpret_cast<nlmsghdr*>(bytes); NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      proc_event event;
      if (event_of(header, event)) take_event(&event);
    }
  }
}

void ForkCount::take_event(const void* what) {
  const auto& event = *static_cast<const proc_event*>(what);
  const auto what_happened = static_cast<std::uint32_t>(event.what);
  if (what_happened == kForked) {
    const auto& fork = event.event_data.fork;
    // A new thread shows the process's own id as that of its group.
    if (fork.child_pid != fork.child_tgid || !tree_.contains(fork.parent_tgid)) return;
    tree_.insert(fork.child_tgid);
    ++processes_;
  } else if (what_happened == kExited) {
    const auto& exit = event.event_data.exit;
    if (!tree_.contains(exit.process_tgid)) return;
    ended_ = true;
    // The id may be another's soon.
    if (exit.process_pid == exit.process_tgid) tree_.erase(exit.process_tgid);
  }
}

}  // namespace foreign
#endif
