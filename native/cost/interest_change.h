// A round of `add`, `modify` or `remove`: the interest in `active` of the registered pairs is changed, one after the other,
// and only those calls are timed. `add` registers what was taken out before, `remove` takes it out, `modify` asks for
// writing as well and no longer. An event is one change. Mechanisms that queue changes (kqueue) hand them to the kernel with
// the next wait, which is none of these: `toggle-write` has it inside.
#pragma once

#include <cstdint>

#include "cost/options.h"
#include "cost/pairs.h"
#include "cost/random.h"
#include "cost/waiter.h"
#include "process/clock.h"

namespace cost {

template <class Waiter>
class InterestChange {
 public:
  InterestChange(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter),
        pairs_(pairs),
        mode_(options.mode),
        active_(options.active),
        draw_(pairs.size(), options.seed),
        untimed_(waiter) {}

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() {
    const auto chosen = draw_.some(active_);
    const auto add = [&](std::uint32_t pair) { return waiter_.watch(pairs_.reader(pair), pair); };
    const auto remove = [&](std::uint32_t pair) { return waiter_.unwatch(pair); };
    error_ = 0;
    process::Nanoseconds took = 0;
    switch (mode_) {
      case Mode::add:
        untimed_([&] { return timed(chosen, remove); });
        took = timed(chosen, add);
        break;
      case Mode::remove:
        took = timed(chosen, remove);
        untimed_([&] { return timed(chosen, add); });
        break;
      default:
        took = timed(chosen, [&](std::uint32_t pair) { return waiter_.writes(pair, true); }) +
               timed(chosen, [&](std::uint32_t pair) { return waiter_.writes(pair, false); });
        events_ += chosen.size();
    }
    events_ += chosen.size();
    return error_ != 0 ? -error_ : took;
  }

  /// Changes that were timed, since the start.
  std::uint64_t events() const noexcept { return events_; }
  const Effort& untimed() const noexcept { return untimed_.effort(); }

 private:
  template <class Change>
  process::Nanoseconds timed(std::span<const std::uint32_t> chosen, Change change) {
    const process::Nanoseconds start = process::monotonic_now();
    for (const std::uint32_t pair : chosen) {
      if (const int error = change(pair)) error_ = error;
    }
    return process::monotonic_now() - start;
  }

  Waiter& waiter_;
  const Pairs& pairs_;
  const Mode mode_;
  const std::uint32_t active_;
  ActivePairs draw_;
  Untimed<Waiter> untimed_;
  int error_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace cost
