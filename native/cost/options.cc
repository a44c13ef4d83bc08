#include "cost/options.h"

#include "process/arguments.h"

namespace cost {
namespace {

constexpr std::uint64_t kUnset = UINT64_MAX;
/// A round keeps 8 bytes until the end.
constexpr std::uint64_t kMostRounds = 10'000'000;
constexpr std::uint64_t kMostMs = 3'600'000;

/// Rounds and time exclude each other; what is not given of the chosen one keeps its default.
std::string settle(std::uint64_t rounds, std::uint64_t warmup_rounds, std::uint64_t duration, std::uint64_t warmup,
                   Options& options) {
  const bool by_rounds = rounds != kUnset || warmup_rounds != kUnset;
  const bool by_time = duration != kUnset || warmup != kUnset;
  if (by_rounds && by_time) return "give either --rounds and --warmup-rounds or --duration and --warmup, not both";
  if (by_time) {
    if (duration == kUnset) return "--warmup needs a --duration";
    options.rounds = options.warmup_rounds = 0;
    options.duration_ms = duration;
    options.warmup_ms = warmup == kUnset ? 0 : warmup;
  } else {
    if (rounds != kUnset) options.rounds = rounds;
    if (warmup_rounds != kUnset) options.warmup_rounds = warmup_rounds;
  }
  return "";
}

}  // namespace

std::string parse_options(std::span<char* const> arguments, Options& options) {
  std::size_t mode = 0;
  std::size_t impl = 0;
  std::uint64_t rounds = kUnset;
  std::uint64_t warmup_rounds = kUnset;
  std::uint64_t duration = kUnset;
  std::uint64_t warmup = kUnset;
  process::Arguments known;
  known.choice("--mode", {kModeNames[0], kModeNames[1], kModeNames[2]}, mode);
  known.choice("--impl", {"native", "baseline"}, impl);
  known.text("--backend", options.backend);
  known.number("--pairs", 1, 1'000'000, options.pairs);
  known.number("--active", 1, 1'000'000, options.active);
  known.number("--writes", 0, 10'000'000, options.writes);
  known.number("--max-events", 1, 65536, options.max_events);
  known.number("--seed", 0, UINT64_MAX, options.seed);
  known.number("--rounds", 1, kMostRounds, rounds);
  known.number("--warmup-rounds", 0, kMostRounds, warmup_rounds);
  known.number("--duration", 1, kMostMs, duration);
  known.number("--warmup", 0, kMostMs, warmup);
  known.number("--gap", 0, 1'000'000, options.gap_us);
  known.cpus("--cpu", options.cpus);
  known.flag("--control", options.control);
  if (std::string fault = known.read(arguments); !fault.empty()) return fault;
  options.mode = static_cast<Mode>(mode);
  options.baseline = impl == 1;
  if (options.backend.empty()) return "--backend is missing: there is no default mechanism";
  if (options.active > options.pairs) {
    return "--active " + std::to_string(options.active) + " is more than the --pairs " +
           std::to_string(options.pairs) + " there are";
  }
  if (options.mode != Mode::drain && (options.active != 1 || options.writes != 0)) {
    return "--active and --writes belong to --mode drain: a wake-up is one byte";
  }
  return settle(rounds, warmup_rounds, duration, warmup, options);
}

}  // namespace cost
