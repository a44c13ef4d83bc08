// A stand-in for kqueue over poll, written from FreeBSD's kqueue(2) and from what kqueue.cc met on a NetBSD kernel, so
// that kqueue.cc's own logic (queued changes, merged rows, consumed error rows, synchronous forget) runs through the
// conformance suite on Linux. It shows nothing about the real mechanism's behaviour or speed.
//
// Kept from the manual page: changes are applied in order before the wait; a failing change becomes an EV_ERROR row, or
// fails the call when there is no room; EV_RECEIPT answers every change; error rows end the call without a wait;
// closing a descriptor removes its filters; EV_CLEAR reports growth only; EV_EOF is sticky; rows rotate.
// Kept from NetBSD: a pipe without reader refuses a write filter with EBADF, though it is open; the write filter of a
// socket whose owner has ended writing carries EV_EOF; fflags of a row without EV_EOF are no errno; waits last whole
// ticks of the clock.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/event.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <vector>

#include "testing/standin.h"

namespace {

using testing::inode_of;

constexpr int kTickMicroseconds = 10'000;
constexpr unsigned kNotAnError = 0x5a;

struct Filter {
  struct kevent asked;
  ino_t inode;             // of the descriptor when the filter was added: another one means that it was closed
  std::int64_t level = 0;  // EV_CLEAR: bytes (or room) and end of file already reported
};

struct Queue {
  std::vector<Filter> filters;
  std::size_t next = 0;  // first filter to look at
};

// One thread per queue, and Workers do not share pollers; a number that kqueue() returns again starts afresh.
thread_local std::map<int, Queue> queues;

/// What poll says of a descriptor now.
short state_of(int fd, short events) noexcept {
  pollfd entry = {.fd = fd, .events = events, .revents = 0};
  ::poll(&entry, 1, 0);
  return entry.revents;
}

bool pipe_without_reader(int fd) noexcept {
  struct stat status;
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && (state_of(fd, POLLOUT) & POLLERR) != 0;
}

/// Whether a TCP socket's owner has ended writing.
bool ended_writing(int fd) noexcept {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  return info.tcpi_state == TCP_FIN_WAIT1 || info.tcpi_state == TCP_FIN_WAIT2 || info.tcpi_state == TCP_CLOSING ||
         info.tcpi_state == TCP_LAST_ACK || info.tcpi_state == TCP_TIME_WAIT;
}

/// Applies one change; returns its errno.
int apply(Queue& queue, const struct kevent& change) noexcept {
  ino_t inode = 0;
  if (!inode_of(static_cast<int>(change.ident), inode)) return EBADF;
  const auto found = std::find_if(queue.filters.begin(), queue.filters.end(), [&](const Filter& filter) {
    return filter.asked.ident == change.ident && filter.asked.filter == change.filter && filter.inode == inode;
  });
  if ((change.flags & EV_DELETE) != 0) {
    if (found == queue.filters.end()) return ENOENT;
    queue.filters.erase(found);
  } else if (change.filter == EVFILT_WRITE && pipe_without_reader(static_cast<int>(change.ident))) {
    return EBADF;
  } else if (found != queue.filters.end()) {
    *found = {change, inode};
  } else {
    queue.filters.push_back({change, inode});
  }
  return 0;
}

/// The row that a filter gives for what poll said of its descriptor; false when it gives none.
bool row_of(Filter& filter, short revents, struct kevent& row) noexcept {
  const bool reads = filter.asked.filter == EVFILT_READ;
  const bool failed = (revents & POLLERR) != 0;
  const bool ended = failed || (revents & (reads ? POLLHUP | POLLRDHUP : POLLHUP)) != 0 ||
                     (!reads && ended_writing(static_cast<int>(filter.asked.ident)));
  int bytes = 0;
  if (reads) {
    ::ioctl(static_cast<int>(filter.asked.ident), FIONREAD, &bytes);
  } else {
    bytes = (revents & POLLOUT) != 0;
  }
  const bool ready = ended || (revents & (reads ? POLLIN : POLLOUT)) != 0;
  const std::int64_t level = static_cast<std::int64_t>(bytes) * 2 + ended;
  const bool news = (filter.asked.flags & EV_CLEAR) == 0 || level > filter.level;
  filter.level = level;
  if (!ready || !news) return false;
  row = filter.asked;
  row.flags = ended ? EV_EOF : 0;
  row.fflags = failed ? EIO : ended ? 0 : kNotAnError;
  row.data = bytes;
  return true;
}

/// Rows that are there now, at most `size`.
int collect(Queue& queue, struct kevent* rows, int size, const timespec* timeout) noexcept {
  std::erase_if(queue.filters, [](const Filter& filter) {
    return !testing::is_same(static_cast<int>(filter.asked.ident), filter.inode);
  });
  std::vector<pollfd> entries;
  for (const Filter& filter : queue.filters) {
    const bool reads = filter.asked.filter == EVFILT_READ;
    const int events = reads ? POLLIN | POLLRDHUP : POLLOUT;
    entries.push_back({static_cast<int>(filter.asked.ident), static_cast<short>(events), 0});
  }
  if (::ppoll(entries.data(), entries.size(), timeout, nullptr) < 0) return -1;
  int count = 0;
  for (std::size_t i = 0; i < entries.size() && count < size; ++i) {
    const std::size_t at = (queue.next + i) % entries.size();
    if (row_of(queue.filters[at], entries[at].revents, rows[count]) && ++count == size) queue.next = at + 1;
  }
  return count;
}

}  // namespace

int kqueue() noexcept {
  const int queue = ::eventfd(0, EFD_CLOEXEC);
  if (queue >= 0) queues[queue] = {};
  return queue;
}

int kevent(int number, const struct kevent* changes, int change_count, struct kevent* rows, int size,
           const timespec* timeout) noexcept {
  Queue& queue = queues[number];
  int errors = 0;
  for (int i = 0; i < change_count; ++i) {
    const int error = apply(queue, changes[i]);
    if (error == 0 && (changes[i].flags & EV_RECEIPT) == 0) continue;
    if (errors == size) {
      errno = error;
      return error == 0 ? errors : -1;
    }
    rows[errors] = changes[i];
    rows[errors].flags = EV_ERROR;
    rows[errors++].data = error;
  }
  if (errors > 0) return errors;
  if (size == 0) return 0;

  timespec whole;
  if (timeout != nullptr) {
    constexpr long long kTick = kTickMicroseconds * 1000LL;
    const long long asked = testing::nanoseconds(*timeout);
    const long long lasts = asked == 0 ? 0 : ((asked + kTick - 1) / kTick + 1) * kTick;
    whole = {static_cast<time_t>(lasts / 1'000'000'000), static_cast<long>(lasts % 1'000'000'000)};
  }
  return testing::wait_in_slices(timeout == nullptr ? nullptr : &whole, [&](const timespec& slice) {
    return collect(queue, rows, size, &slice);
  });
}

int sysctl(const int* name, unsigned names, void* old, std::size_t* old_size, const void*, std::size_t) noexcept {
  if (names != 2 || name[0] != CTL_KERN || name[1] != KERN_CLOCKRATE || *old_size != sizeof(clockinfo)) {
    errno = ENOENT;
    return -1;
  }
  *static_cast<clockinfo*>(old) = {.hz = 1'000'000 / kTickMicroseconds, .tick = kTickMicroseconds};
  return 0;
}
