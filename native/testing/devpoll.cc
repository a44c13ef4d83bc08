// A stand-in for /dev/poll over poll, written from illumos' poll(4D), so that devpoll.cc's own logic runs through the
// conformance suite on Linux. It shows nothing about the real mechanism.
//
// Kept from the manual page: events written are added to those that a descriptor has; POLLREMOVE takes it out of the
// set; a descriptor that is no longer what it was is flagged POLLNVAL by every wait; a write stops at an entry that
// names no open descriptor; a wait goes on behind the row it brought last; the timeout is in milliseconds.
#include <fcntl.h>
#include <sys/devpoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <map>
#include <vector>

#include "testing/standin.h"

namespace {

struct Member {
  pollfd entry;
  ino_t inode;
};

struct Device {
  std::vector<Member> members;
  std::size_t next = 0;
};

// One thread per device; a number that is opened again starts afresh.
thread_local std::map<int, Device> devices;

int enter(Device& device, const pollfd& entry) noexcept {
  const auto found = std::find_if(device.members.begin(), device.members.end(),
                                  [&](const Member& one) { return one.entry.fd == entry.fd; });
  if (entry.events == POLLREMOVE) {
    if (found != device.members.end()) device.members.erase(found);
    return 0;
  }
  ino_t inode = 0;
  if (!testing::inode_of(entry.fd, inode)) return EBADF;
  if (found == device.members.end()) {
    device.members.push_back({entry, inode});
  } else {
    found->entry.events = static_cast<short>(found->entry.events | entry.events);
  }
  return 0;
}

int collect(Device& device, const dvpoll& request, const timespec& slice) noexcept {
  std::vector<pollfd> entries;
  bool gone = false;
  for (const Member& one : device.members) {
    const bool same = testing::is_same(one.entry.fd, one.inode);
    entries.push_back(same ? one.entry : pollfd{.fd = -1, .events = 0, .revents = 0});
    gone = gone || !same;
  }
  const timespec none = {};
  if (::ppoll(entries.data(), entries.size(), gone ? &none : &slice, nullptr) < 0) return -1;
  nfds_t count = 0;
  for (std::size_t i = 0; i < entries.size() && count < request.dp_nfds; ++i) {
    const std::size_t at = (device.next + i) % entries.size();
    const short revents = entries[at].fd < 0 ? static_cast<short>(POLLNVAL) : entries[at].revents;
    if (revents == 0) continue;
    request.dp_fds[count] = device.members[at].entry;
    request.dp_fds[count].revents = revents;
    if (++count == request.dp_nfds) device.next = at + 1;
  }
  return static_cast<int>(count);
}

}  // namespace

int devpoll_open(const char*, int) noexcept {
  const int device = ::eventfd(0, EFD_CLOEXEC);
  if (device >= 0) devices[device] = {};
  return device;
}

long devpoll_write(int number, const void* entries, std::size_t bytes) noexcept {
  const auto* entry = static_cast<const pollfd*>(entries);
  for (std::size_t i = 0; i < bytes / sizeof(pollfd); ++i) {
    if (const int error = enter(devices[number], entry[i]); error != 0) {
      errno = error;
      return -1;
    }
  }
  return static_cast<long>(bytes);
}

int devpoll_ioctl(int number, int request, dvpoll* argument) noexcept {
  if (request != DP_POLL) {
    errno = EINVAL;
    return -1;
  }
  const timespec time = {argument->dp_timeout / 1000, argument->dp_timeout % 1000 * 1'000'000L};
  return testing::wait_in_slices(argument->dp_timeout < 0 ? nullptr : &time, [&](const timespec& slice) {
    return collect(devices[number], *argument, slice);
  });
}
