// A round of `wakeup`: one thread writes a byte to one pair, waits (the pair is ready, so the blocking wait returns at
// once) and reads it. The clock runs from before the write until the byte was read: three system calls and the dispatch
// between them.
#pragma once

#include <cerrno>
#include <cstdint>

#include "cost/options.h"
#include "cost/pairs.h"
#include "cost/random.h"
#include "process/clock.h"

namespace cost {

template <class Waiter>
class Wakeup {
 public:
  Wakeup(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter), pairs_(pairs), draw_(pairs.size(), options.seed) {}

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() {
    const std::uint32_t written = draw_.one();
    bool read = false;
    int error = 0;
    const process::Nanoseconds start = process::monotonic_now();
    if (!pairs_.write(written)) return -EPROTO;
    while (!read && error == 0) {
      error = waiter_.wait([&](std::uint32_t pair) {
        read = pairs_.read(pair);
        ++events_;
      });
    }
    const process::Nanoseconds end = process::monotonic_now();
    return error != 0 ? -error : end - start;
  }

  /// Since the start.
  std::uint64_t events() const noexcept { return events_; }

 private:
  Waiter& waiter_;
  const Pairs& pairs_;
  ActivePairs draw_;
  std::uint64_t events_ = 0;
};

}  // namespace cost
