// Runs warm-up and measured rounds of a mode, and marks what had been used up before and after the measured ones.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "cost/counted.h"
#include "cost/interruption.h"
#include "cost/options.h"
#include "cost/thread_usage.h"
#include "cost/waiter.h"
#include "process/clock.h"

namespace cost {

/// Sums since the start.
struct Mark {
  process::Nanoseconds wall = 0;
  ThreadUsage usage;
  Effort effort;
  std::uint64_t events = 0;
  std::uint64_t slept = 0;
  Counted counted;
};

struct Measurement {
  std::uint64_t warmup_rounds = 0;
  std::vector<process::Nanoseconds> rounds;
  Mark before;
  Mark after;
};

/// A measured round. A function of its own, by whose name callgrind counts it and nothing else (src/stage/instructions.ts), and
/// profiles keep what is within (src/flame/cost.ts): no jump to another one, its frame has to stay.
template <class Rounds>
[[gnu::noinline]] process::Nanoseconds measured_round(Rounds& rounds) {
  process::Nanoseconds took = rounds.round();
  asm volatile("" : "+r"(took));
  return took;
}

/// Between warm-up and measured rounds: at its entry callgrind forgets what it has counted.
[[gnu::noinline]] inline void measured_from_here() { asm volatile(""); }

/// `Rounds` is a mode (modes.h).
template <class Waiter, class Rounds>
class Measure {
 public:
  Measure(const Waiter& waiter, Rounds& rounds, servers::Control& control)
      : waiter_(waiter), rounds_(rounds), control_(control), interruption_(control) {}

  /// One sentence on what failed or stopped it, empty when `out` is complete.
  std::string run(const Options& options, Measurement& out) {
    const auto warm = [&] {
      ++out.warmup_rounds;
      return rounds_.round();
    };
    if (std::string fault = phase(options.warmup_rounds, options.warmup_ms, warm); !fault.empty()) return fault;
    out.rounds.reserve(options.rounds);
    measured_from_here();
    out.before = mark();
    const auto keep = [&] {
      out.rounds.push_back(measured_round(rounds_));
      return out.rounds.back();
    };
    if (std::string fault = phase(options.rounds, options.duration_ms, keep); !fault.empty()) return fault;
    out.after = mark();
    return "";
  }

 private:
  /// As many rounds, or rounds for as long; at least one where there is a time at all.
  template <class Round>
  std::string phase(std::uint64_t rounds, std::uint64_t ms, Round round) {
    constexpr std::uint64_t kMostRoundsByTime = 10'000'000;  // each is kept until the end
    const process::Nanoseconds end =
        process::monotonic_now() + static_cast<process::Nanoseconds>(ms) * process::kMillisecond;
    const std::uint64_t most = ms > 0 ? kMostRoundsByTime : rounds;
    for (std::uint64_t i = 0; i < most; ++i) {
      const process::Nanoseconds took = round();
      if (took < 0) return std::string("a round failed: ") + std::strerror(static_cast<int>(-took));
      const process::Nanoseconds now = process::monotonic_now();
      if (interruption_.came(now)) {
        return "ended by " + std::string(control_.reason()) + " before the measurement was complete";
      }
      if (ms > 0 && now >= end) break;
    }
    return "";
  }

  Mark mark() const {
    Mark mark{process::monotonic_now(), thread_usage(), waiter_.effort(), rounds_.events(), 0, {}};
    if constexpr (requires { rounds_.untimed(); }) {
      mark.effort.waits -= rounds_.untimed().waits;
      mark.effort.change_calls -= rounds_.untimed().change_calls;
    }
    if constexpr (requires { rounds_.slept(); }) mark.slept = rounds_.slept();
    if constexpr (requires { rounds_.counted(); }) mark.counted = rounds_.counted();
    return mark;
  }

  const Waiter& waiter_;
  Rounds& rounds_;
  servers::Control& control_;
  Interruption interruption_;
};

}  // namespace cost
