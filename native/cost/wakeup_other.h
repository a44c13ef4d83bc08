// A round of `wakeup-threads` or `wakeup-processes`: the waiting thread blocks in the kernel, another thread or process
// writes a byte to one pair, and the clock runs from just before the write until the wait has returned and the pair's
// handler is reached. Reading the byte lies outside. This is wake-up latency: the path of a byte through the mechanism's
// wake-up and the scheduler; between processes a change of address space comes on top where they share a CPU.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>

#include "cost/options.h"
#include "cost/pairs.h"
#include "cost/random.h"
#include "cost/thread_usage.h"

namespace cost {

/// `Writer`: ThreadWriter or ProcessWriter.
template <class Waiter, class Writer>
class WakeupOther {
 public:
  WakeupOther(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter), pairs_(pairs), draw_(pairs.size(), options.seed), writer_(pairs, options) {}

  std::string open() { return writer_.start(); }

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() {
    process::Nanoseconds end = 0;
    bool read = false;
    int error = 0;
    writer_.handoff().ask(draw_.one());
    while (!read && error == 0) {
      error = waiter_.wait([&](std::uint32_t pair) {
        end = process::monotonic_now();
        read = pairs_.read(pair);
        ++events_;
      });
    }
    // Nothing else in a round gives the CPU up.
    const std::int64_t switches = thread_usage().voluntary_switches;
    slept_ += switches != switches_;
    switches_ = switches;
    return error != 0 ? -error : end - writer_.handoff().written_at.load(std::memory_order_acquire);
  }

  /// Since the start.
  std::uint64_t events() const noexcept { return events_; }
  /// Rounds in which the waiting thread was asleep when the byte came.
  std::uint64_t slept() const noexcept { return slept_; }
  const Writer& writer() const noexcept { return writer_; }

 private:
  Waiter& waiter_;
  const Pairs& pairs_;
  ActivePairs draw_;
  Writer writer_;
  std::uint64_t events_ = 0;
  std::uint64_t slept_ = 0;
  std::int64_t switches_ = thread_usage().voluntary_switches;
};

}  // namespace cost
