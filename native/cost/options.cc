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

/// The names of modes that take an option, for its refusal.
template <class Takes>
std::vector<std::string_view> modes_that(Takes takes) {
  std::vector<std::string_view> names;
  for (const ModeFacts& mode : kModes) {
    if (takes(mode)) names.push_back(mode.name);
  }
  return names;
}

bool any_mode(const ModeFacts&) noexcept { return true; }
bool takes_active(const ModeFacts& mode) noexcept { return mode.active != Active::unused; }
bool takes_writes(const ModeFacts& mode) noexcept { return mode.writes; }
bool takes_budget(const ModeFacts& mode) noexcept { return mode.budget; }

/// An option that was given belongs to the mode that was chosen.
template <class Takes>
std::string belongs(const char* option, bool given, const ModeFacts& mode, Takes takes) {
  if (!given || takes(mode)) return "";
  std::string names;
  for (const std::string_view name : modes_that(takes)) names.append(names.empty() ? "" : ", ").append(name);
  return std::string(option) + " is nothing to --mode " + mode.name + ": it belongs to " + names;
}

std::string check(const Options& options) {
  const ModeFacts& mode = facts_of(options.mode);
  const Options usual;
  for (const std::string& fault : {belongs("--active", options.active != usual.active, mode, takes_active),
                                   belongs("--writes", options.writes != usual.writes, mode, takes_writes),
                                   belongs("--budget", options.budget != usual.budget, mode, takes_budget)}) {
    if (!fault.empty()) return fault;
  }
  if (mode.active == Active::of_pairs && options.active > options.pairs) {
    return "--active " + std::to_string(options.active) + " is more than the --pairs " +
           std::to_string(options.pairs) + " there are";
  }
  return "";
}

}  // namespace

std::string parse_options(std::span<char* const> arguments, std::span<const std::string_view> impls,
                          Options& options) {
  std::size_t mode = 0;
  std::size_t impl = 0;
  std::uint64_t rounds = kUnset;
  std::uint64_t warmup_rounds = kUnset;
  std::uint64_t duration = kUnset;
  std::uint64_t warmup = kUnset;
  process::Arguments known;
  known.choice("--mode", modes_that(any_mode), mode);
  known.choice("--impl", std::vector(impls.begin(), impls.end()), impl);
  known.text("--backend", options.backend);
  known.number("--pairs", 1, 1'000'000, options.pairs);
  known.number("--stride", 1, 1'000'000, options.stride);
  known.number("--active", 1, 1'000'000, options.active);
  known.number("--writes", 0, 10'000'000, options.writes);
  known.number("--budget", 1, 1'000'000, options.budget);
  known.number("--max-events", 1, 65536, options.max_events);
  known.flag("--look-first", options.look_first);
  known.number("--seed", 0, UINT64_MAX, options.seed);
  known.number("--rounds", 1, kMostRounds, rounds);
  known.number("--warmup-rounds", 0, kMostRounds, warmup_rounds);
  known.number("--duration", 1, kMostMs, duration);
  known.number("--warmup", 0, kMostMs, warmup);
  known.number("--gap", 0, 1'000'000, options.gap_us);
  known.cpus("--cpu", options.cpus);
  known.flag("--control", options.control);
  known.flag("--hold", options.hold);
  if (std::string fault = known.read(arguments); !fault.empty()) return fault;
  options.mode = static_cast<Mode>(mode);
  options.impl = impls[impl];
  if (options.backend.empty()) return "--backend is missing: there is no default mechanism";
  if (options.hold && !options.control) return "--hold waits for a line on the control channel: give --control as well";
  if (options.look_first && options.impl != "native" && options.impl != "ts") {
    return "--look-first is of our pollers: --impl native or ts";
  }
  if (std::string fault = check(options); !fault.empty()) return fault;
  return settle(rounds, warmup_rounds, duration, warmup, options);
}

}  // namespace cost
