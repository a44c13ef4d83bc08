// A stand-in for event ports over poll, written from illumos' port_create(3C), port_associate(3C) and port_get(3C), so
// that evport.cc's own logic runs through the conformance suite on Linux. It shows nothing about the real mechanism.
//
// Kept from the manual pages: an event ends its association; associating anew replaces what was there; dissociating
// what is not associated is ENOENT; closing a descriptor ends its association; port_getn waits for an event, brings at
// most `max`, and fails with ETIME when the time is over, with EINTR when a signal came, without touching the list.
#include <port.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <map>
#include <vector>

#include "testing/standin.h"

namespace {

struct Association {
  int fd;
  short events;
  void* user;
  ino_t inode;
};

// One thread per port; a number that port_create() returns again starts afresh.
thread_local std::map<int, std::vector<Association>> ports;

/// Fetches events that are there now, at most `max`, and ends their associations.
int collect(std::vector<Association>& port, port_event_t* list, unsigned max, const timespec& slice) noexcept {
  std::erase_if(port, [](const Association& one) { return !testing::is_same(one.fd, one.inode); });
  std::vector<pollfd> entries;
  for (const Association& one : port) entries.push_back({.fd = one.fd, .events = one.events, .revents = 0});
  if (::ppoll(entries.data(), entries.size(), &slice, nullptr) < 0) return -1;
  unsigned count = 0;
  std::vector<Association> left;
  for (std::size_t i = 0; i < port.size(); ++i) {
    if (entries[i].revents == 0 || count == max) {
      left.push_back(port[i]);
      continue;
    }
    list[count++] = {
        .portev_events = entries[i].revents,
        .portev_source = PORT_SOURCE_FD,
        .portev_pad = 0,
        .portev_object = static_cast<std::uintptr_t>(port[i].fd),
        .portev_user = port[i].user,
    };
  }
  port = left;
  return static_cast<int>(count);
}

int failed(int error) noexcept {
  errno = error;
  return -1;
}

}  // namespace

int port_create() noexcept {
  const int port = ::eventfd(0, EFD_CLOEXEC);
  if (port >= 0) ports[port] = {};
  return port;
}

int port_associate(int number, int source, std::uintptr_t object, int events, void* user) noexcept {
  ino_t inode = 0;
  const int fd = static_cast<int>(object);
  if (source != PORT_SOURCE_FD) return failed(EINVAL);
  if (!testing::inode_of(fd, inode)) return failed(EBADF);
  std::vector<Association>& port = ports[number];
  std::erase_if(port, [fd](const Association& one) { return one.fd == fd; });
  port.push_back({fd, static_cast<short>(events), user, inode});
  return 0;
}

int port_dissociate(int number, int, std::uintptr_t object) noexcept {
  const int fd = static_cast<int>(object);
  const auto gone = std::erase_if(ports[number], [fd](const Association& one) { return one.fd == fd; });
  return gone != 0 ? 0 : failed(ENOENT);
}

int port_getn(int number, port_event_t* list, unsigned max, unsigned* count, timespec* timeout) noexcept {
  const int rows = testing::wait_in_slices(
      timeout, [&](const timespec& slice) { return collect(ports[number], list, max, slice); });
  if (rows < 0) return failed(errno);
  if (rows == 0) return failed(ETIME);
  *count = static_cast<unsigned>(rows);
  return 0;
}
