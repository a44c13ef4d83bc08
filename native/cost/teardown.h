// A round of `teardown`: `active` further pairs, open and registered beside the idle ones, are taken out and closed, one after
// the other. Timed: both, for all of them; opening and registering lie outside. An event is one pair.
#pragma once

#include <cerrno>
#include <cstdint>

#include "cost/options.h"
#include "cost/pairs.h"
#include "cost/waiter.h"
#include "process/clock.h"

namespace cost {

template <class Waiter>
class Teardown {
 public:
  Teardown(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter), first_key_(pairs.size()), active_(options.active), untimed_(waiter) {}

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() {
    Pairs further;
    if (!further.open(active_).empty()) return -EMFILE;
    int error = untimed_([&] {
      int refused = 0;
      for (std::uint32_t i = 0; i < active_ && refused == 0; ++i) {
        refused = waiter_.watch(further.reader(i), first_key_ + i);
      }
      return refused;
    });
    if (error != 0) return -error;
    const process::Nanoseconds start = process::monotonic_now();
    for (std::uint32_t i = 0; i < active_; ++i) {
      if (const int refused = waiter_.unwatch(first_key_ + i)) error = refused;
      further.close(i);
    }
    const process::Nanoseconds end = process::monotonic_now();
    events_ += active_;
    return error != 0 ? -error : end - start;
  }

  /// Pairs closed, since the start.
  std::uint64_t events() const noexcept { return events_; }
  const Effort& untimed() const noexcept { return untimed_.effort(); }

 private:
  Waiter& waiter_;
  const std::uint32_t first_key_;
  const std::uint32_t active_;
  Untimed<Waiter> untimed_;
  std::uint64_t events_ = 0;
};

}  // namespace cost
