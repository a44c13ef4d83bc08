// A round of `after-spike` is one of `wakeup`, after a spike: `active` further pairs were registered, each was read once, and
// all were closed again. What a loop keeps of its largest moment (a highest descriptor, an array's length) shows against
// `wakeup` with the same pairs.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "cost/options.h"
#include "cost/pairs.h"
#include "cost/wakeup.h"

namespace cost {

template <class Waiter>
class AfterSpike {
 public:
  AfterSpike(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter), first_key_(pairs.size()), active_(options.active), quiet_(waiter, pairs, options) {}

  std::string open() {
    Pairs spike;
    if (std::string fault = spike.open(active_); !fault.empty()) return fault;
    int error = 0;
    for (std::uint32_t i = 0; i < active_ && error == 0; ++i) {
      error = waiter_.watch(spike.reader(i), first_key_ + i);
      if (error == 0 && !spike.write(i)) error = EPROTO;
    }
    for (std::uint32_t left = active_; left > 0 && error == 0;) {
      error = waiter_.wait([&](std::uint32_t key) { left -= spike.read(key - first_key_) ? 1 : 0; });
    }
    for (std::uint32_t i = 0; i < active_ && error == 0; ++i) error = waiter_.unwatch(first_key_ + i);
    return error != 0 ? std::string("the spike failed: ") + std::strerror(error) : "";
  }

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() { return quiet_.round(); }
  /// Since the spike.
  std::uint64_t events() const noexcept { return quiet_.events(); }

 private:
  Waiter& waiter_;
  const std::uint32_t first_key_;
  const std::uint32_t active_;
  Wakeup<Waiter> quiet_;
};

}  // namespace cost
