// How finely a kernel times waits, where that is coarser than what its calls take.
#pragma once

#include <algorithm>
#include <cstdint>

// The kernels of FreeBSD and macOS time waits by finer clocks than that of kern.clockrate.
#if __has_include(<sys/sysctl.h>) && !defined(__FreeBSD__) && !defined(__APPLE__)
#include <sys/param.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#endif

namespace dispatch {

/// Unit in which waits are really timed by a call that takes its timeout in units of `call_ns`. The kernels of NetBSD
/// and OpenBSD count ticks of their clock: a wait of a microsecond lasts one or two of them. Static, because in the
/// tests the stand-in for kqueue has a clock of its own.
[[maybe_unused]] static std::int64_t resolution_ns(std::int64_t call_ns) noexcept {
#ifdef KERN_CLOCKRATE
  const int name[] = {CTL_KERN, KERN_CLOCKRATE};
  clockinfo clock = {};
  std::size_t size = sizeof(clock);
  if (::sysctl(name, 2, &clock, &size, nullptr, 0) == 0) return std::max(call_ns, std::int64_t{clock.tick} * 1000);
#endif
  return call_ns;
}

}  // namespace dispatch
