// When to send: the schedule of intended times, and the waiting that meets them to the microsecond.
// A schedule never looks at the clock, so a late sender shifts nothing: what is overdue stays due at its own time.
#pragma once

#include <cstdint>
#include <random>

#include "dispatch/poller.h"
#include "load/clock.h"

namespace load {

enum class Arrival : std::uint8_t {
  fixed,       ///< equal gaps
  exponential  ///< Poisson process: independent, exponentially distributed gaps
};

/// Endless sequence of intended times. The n-th of a fixed schedule is start + n / rate, rounded once, so nothing
/// drifts; a schedule of rate r has exactly r * d times in [start, start + d) when that is a whole number.
class Schedule {
 public:
  /// `rate`: per second, above 0. `seed` chooses the exponential gaps and is ignored by fixed ones.
  Schedule(Arrival arrival, double rate, Nanoseconds start, std::uint64_t seed);

  /// The next intended time that has not been taken.
  Nanoseconds due() const noexcept { return due_; }
  /// Takes it.
  void advance() noexcept;

 private:
  Arrival arrival_;
  double gap_;  // mean, nanoseconds
  Nanoseconds start_;
  Nanoseconds due_;
  std::uint64_t taken_ = 0;
  double elapsed_ = 0;  // exponential: sum of gaps, nanoseconds
  std::mt19937_64 random_;
};

/// Waits for due times on a poller: sleeps until shortly before, then looks without sleeping, so that replies are
/// still taken while it spins. The margin is measured, because it is the system's wake-up lateness.
class Pacer {
 public:
  struct Resolution {
    Nanoseconds p50 = 0;  ///< lateness after a timed wait, median
    Nanoseconds p99 = 0;
  };

  /// Asks for the finest timers of this thread (Linux: timer slack 1 ns) and measures them with about 100 waits of
  /// 100 us on `poller`. Call on the thread that will wait, before anything is registered.
  void calibrate(dispatch::Poller& poller);

  const Resolution& resolution() const noexcept { return resolution_; }

  /// Timeout for the next wait when something is due at `due`: 0 = spin.
  dispatch::TimeoutNs timeout(Nanoseconds now, Nanoseconds due) const noexcept {
    const Nanoseconds sleep = due - now - margin_;
    return sleep > 0 ? sleep : 0;
  }

  /// Tells of a turn that asked for timeout 0 and brought nothing; turns that were preempted are left out.
  void spun(Nanoseconds from, Nanoseconds to) noexcept {
    if (to - from < kPreempted) spin_ += to - from;
  }
  /// Time spent spinning so far.
  Nanoseconds spin() const noexcept { return spin_; }

 private:
  static constexpr Nanoseconds kPreempted = 20 * kMicrosecond;
  Resolution resolution_;
  Nanoseconds margin_ = 100 * kMicrosecond;
  Nanoseconds spin_ = 0;
};

}  // namespace load
