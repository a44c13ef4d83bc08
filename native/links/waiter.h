// Waits for an instant to the microsecond without spinning for long: a sleep is cut short by what wake-ups of this thread
// take, which is learnt from each of them, and only the rest is spun.
#pragma once

#include <algorithm>

#include "process/clock.h"

namespace links {

using process::Nanoseconds;

class Waiter {
 public:
  /// How long to sleep when something is due at `due`; 0: look again without sleeping.
  Nanoseconds sleep(Nanoseconds now, Nanoseconds due) const noexcept {
    return std::max<Nanoseconds>(0, due - now - lead_);
  }

  /// A sleep ended `late` after it should have. Follows the quarter of wake-ups that come soonest, so that most sleeps end
  /// just after the instant and the others are spun out.
  void woke(Nanoseconds late) noexcept {
    constexpr Nanoseconds kStep = 400;
    lead_ = std::clamp<Nanoseconds>(lead_ + (late > lead_ ? kStep : -3 * kStep), 0, kMost);
  }

 private:
  /// Wake-ups later than this are a busy machine, and no time to spin.
  static constexpr Nanoseconds kMost = 100 * process::kMicrosecond;
  Nanoseconds lead_ = 0;
};

}  // namespace links
