// The two clocks of a load thread: when something happened, and what it cost. Nanoseconds, 64-bit, never negative.
#pragma once

#include <time.h>

#include <cstdint>

namespace load {

using Nanoseconds = std::int64_t;
inline constexpr Nanoseconds kMicrosecond = 1'000;
inline constexpr Nanoseconds kMillisecond = 1'000'000;
inline constexpr Nanoseconds kSecond = 1'000'000'000;

inline Nanoseconds read_clock(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<Nanoseconds>(time.tv_sec) * kSecond + time.tv_nsec;
}

/// CLOCK_MONOTONIC, comparable between processes of one machine (Node's process.hrtime reads the same clock).
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

}  // namespace load
