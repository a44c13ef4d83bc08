#include "load/pacer.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cmath>
#include <mutex>
#include <vector>

namespace load {

Schedule::Schedule(Arrival arrival, double rate, Nanoseconds start, std::uint64_t seed)
    : arrival_(arrival), gap_(static_cast<double>(kSecond) / rate), start_(start), due_(start), random_(seed) {
  if (arrival_ == Arrival::exponential) advance();  // a Poisson process has no arrival at its very start
}

void Schedule::advance() noexcept {
  if (arrival_ == Arrival::fixed) {
    due_ = start_ + std::llround(static_cast<double>(++taken_) * gap_);
    return;
  }
  const double uniform = (static_cast<double>(random_() >> 11) + 0.5) * 0x1p-53;  // in (0, 1): its logarithm exists
  elapsed_ -= std::log(uniform) * gap_;
  due_ = start_ + std::llround(elapsed_);
}

namespace {

/// Lateness after timed sleeps on this thread: 100 of 100 us.
Pacer::Resolution measured(dispatch::Poller& poller) {
  constexpr int kWaits = 100;
  constexpr Nanoseconds kSleep = 100 * kMicrosecond;
  std::vector<Nanoseconds> late;
  late.reserve(kWaits);
  dispatch::Event none;
  for (int i = 0; i < kWaits; ++i) {
    const Nanoseconds due = monotonic_now() + kSleep;
    poller.wait({&none, 1}, kSleep);
    late.push_back(monotonic_now() - due);
  }
  std::sort(late.begin(), late.end());
  return {late[kWaits / 2], late[kWaits * 99 / 100]};
}

/// The process's last measurement: a client of many short loads would spend more time on it than on some of them.
struct Known {
  std::mutex mutex;
  Pacer::Resolution resolution;
  Nanoseconds at = 0;
};

Pacer::Resolution known_or_measured(dispatch::Poller& poller) {
  constexpr Nanoseconds kFresh = 10'000 * kMillisecond;
  static Known known;
  {
    const std::lock_guard lock(known.mutex);
    if (known.at != 0 && monotonic_now() - known.at < kFresh) return known.resolution;
  }
  const Pacer::Resolution found = measured(poller);
  const std::lock_guard lock(known.mutex);
  known.resolution = found;
  known.at = monotonic_now();
  return found;
}

}  // namespace

void Pacer::calibrate(dispatch::Poller& poller) {
#ifdef __linux__
  ::prctl(PR_SET_TIMERSLACK, 1UL);
#endif
  // Beyond the cap spinning costs more than it brings: wake-ups that late are a busy machine, not a timer.
  constexpr Nanoseconds kLeast = 20 * kMicrosecond, kMost = 2 * kMillisecond;
  resolution_ = known_or_measured(poller);
  margin_ = std::clamp(resolution_.p99 + kLeast / 2, kLeast, kMost);
}

}  // namespace load
