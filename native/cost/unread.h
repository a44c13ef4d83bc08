// A round of `unread`: `active` pairs hold a byte each that nobody reads, so that every wait reports all of them again; a
// round is as many waits as bring 100 rows of each, which are 100 waits where the result array has room for all. Timed from the
// first wait to the last row. An event is a row, and a handler does nothing but look up whose it is: what is left is what
// waiting costs, and handing over what came. In TypeScript (servers/cost.ts) that takes a crossing, and is what this mode is
// for; with --max-events 1 every event has a wait, and there a crossing, of its own.
//
// An edge-triggered mechanism tells of a byte once, and has no such round.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "cost/options.h"
#include "cost/pairs.h"
#include "cost/random.h"
#include "process/clock.h"

namespace cost {

/// Rows of each active pair that a round waits for.
inline constexpr std::int64_t kRowsOfEach = 100;

/// Leaves a byte in `active` pairs. `repeats`: of the mechanism that they are registered with. One sentence on what is in
/// the way.
inline std::string leave_unread(const Pairs& pairs, const Options& options, bool repeats) {
  if (!repeats) {
    return "--mode unread waits again for what was left unread, of which '" + options.backend +
           "' tells once: choose a backend that repeats it";
  }
  ActivePairs draw(pairs.size(), options.seed);
  for (const std::uint32_t pair : draw.some(options.active)) {
    if (!pairs.write(pair)) return "a pair takes no byte";
  }
  return "";
}

template <class Waiter>
class Unread {
 public:
  Unread(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter), pairs_(pairs), options_(options), told_(pairs.size()) {}

  std::string open() { return leave_unread(pairs_, options_, waiter_.repeats()); }

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() {
    std::int64_t left = kRowsOfEach * options_.active;
    int error = 0;
    const process::Nanoseconds start = process::monotonic_now();
    while (left > 0 && error == 0) {
      error = waiter_.wait([&](std::uint32_t pair) {
        ++told_[pair];
        ++events_;
        --left;
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
  const Options& options_;
  std::vector<std::uint32_t> told_;  // by pair: rows of it
  std::uint64_t events_ = 0;
};

}  // namespace cost
