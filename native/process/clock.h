// Time of the machine and of a thread: the only place that asks the system for it. Nanoseconds, 64-bit, never negative.
#pragma once

#include <time.h>

#include <cstdint>

namespace process {

using Nanoseconds = std::int64_t;
inline constexpr Nanoseconds kMicrosecond = 1'000;
inline constexpr Nanoseconds kMillisecond = 1'000'000;
inline constexpr Nanoseconds kSecond = 1'000'000'000;

inline Nanoseconds read_clock(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<Nanoseconds>(time.tv_sec) * kSecond + time.tv_nsec;
}

/// The machine's monotonic clock, comparable between its processes: the one that Node's process.hrtime reads as well.
inline Nanoseconds monotonic_now() noexcept {
#ifdef __APPLE__
  // CLOCK_MONOTONIC counts microseconds there; this is the clock libuv reads.
  return static_cast<Nanoseconds>(::clock_gettime_nsec_np(CLOCK_UPTIME_RAW));
#else
  return read_clock(CLOCK_MONOTONIC);
#endif
}

/// CPU time (user and system) of the calling thread.
inline Nanoseconds thread_cpu_now() noexcept { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

/// Smallest step between two readings of the monotonic clock over `readings` tries.
Nanoseconds clock_step(int readings) noexcept;

}  // namespace process
