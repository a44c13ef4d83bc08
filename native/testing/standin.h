// What the stand-ins for mechanisms of other systems share: descriptors that are known again, and waits.
#pragma once

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>

namespace testing {

/// Which file a descriptor has; false when it is closed.
inline bool inode_of(int fd, ino_t& inode) noexcept {
  struct stat status;
  if (::fstat(fd, &status) != 0) return false;
  inode = status.st_ino;
  return true;
}

/// Whether a descriptor still is what it was: another inode means that it was closed.
inline bool is_same(int fd, ino_t before) noexcept {
  ino_t now = 0;
  return inode_of(fd, now) && now == before;
}

inline long long nanoseconds(const timespec& time) noexcept { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

/// Calls collect(slice) again and again until it has something (not 0) or the time is over, in slices of a millisecond:
/// what stays ready without being news must not end the wait. @param timeout null: for ever
template <class Collect>
int wait_in_slices(const timespec* timeout, Collect collect) noexcept {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const long long end = timeout == nullptr ? 0 : nanoseconds(now) + nanoseconds(*timeout);
  for (;;) {
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const long long left = timeout == nullptr ? 1'000'000 : std::clamp(end - nanoseconds(now), 0LL, 1'000'000LL);
    const timespec slice = {0, left};
    const int count = collect(slice);
    if (count != 0 || (timeout != nullptr && left == 0)) return count;
  }
}

}  // namespace testing
