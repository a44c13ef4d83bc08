// A round of `toggle-write`: what a server does whose peers were slow to read. `active` pairs ask for writing as well, which
// makes them ready at the next wait; each handler takes the wish back. Timed from the first wish to the last handler: two
// changes and one event for each, and the waits.
#pragma once

#include <cstdint>
#include <vector>

#include "cost/options.h"
#include "cost/pairs.h"
#include "cost/random.h"
#include "process/clock.h"

namespace cost {

template <class Waiter>
class ToggleWrite {
 public:
  ToggleWrite(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter), active_(options.active), draw_(pairs.size(), options.seed), wishes_(pairs.size()) {}

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() {
    const auto chosen = draw_.some(active_);
    std::uint32_t left = active_;
    int error = 0;
    const process::Nanoseconds start = process::monotonic_now();
    for (const std::uint32_t pair : chosen) {
      wishes_[pair] = 1;
      if (const int refused = waiter_.writes(pair, true)) error = refused;
    }
    while (left > 0 && error == 0) {
      error = waiter_.wait([&](std::uint32_t pair) {
        if (wishes_[pair] == 0) return;  // told twice
        wishes_[pair] = 0;
        if (const int refused = waiter_.writes(pair, false)) refused_ = refused;
        --left;
        ++events_;
      });
      if (error == 0) error = refused_;
    }
    const process::Nanoseconds end = process::monotonic_now();
    return error != 0 ? -error : end - start;
  }

  /// Since the start.
  std::uint64_t events() const noexcept { return events_; }

 private:
  Waiter& waiter_;
  const std::uint32_t active_;
  ActivePairs draw_;
  std::vector<std::uint8_t> wishes_;  // by pair: it has asked for writing
  int refused_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace cost
