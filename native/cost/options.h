// The command line of the programs that measure the cost of a dispatch; src/programs/cost.ts writes it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cost/modes.h"

namespace cost {

struct Options {
  Mode mode = Mode::drain;
  std::string impl;                  ///< who dispatches, one of those that the program has
  std::string backend;
  std::uint32_t pairs = 100;         ///< socket pairs registered
  std::uint32_t stride = 1;          ///< from one watched descriptor to the next, at least; 1: as the system gives them
  std::uint32_t active = 1;          ///< what a round is about, as its mode says
  std::uint32_t writes = 0;          ///< further writes in a round, as its mode says
  std::uint32_t budget = 1;          ///< most that a handler takes of one descriptor before the next one's turn
  std::uint32_t max_events = 1024;   ///< rows of one wait's result array
  bool look_first = false;           ///< each wait looks before it sleeps, see dispatch/poller.h
  std::uint64_t seed = 1;            ///< of the generator that draws the active pairs
  std::uint64_t rounds = 1000;       ///< measured rounds; 0: as many as `duration_ms` holds
  std::uint64_t warmup_rounds = 100;
  std::uint64_t duration_ms = 0;     ///< measured time, 0: `rounds` decides
  std::uint64_t warmup_ms = 0;
  std::uint64_t gap_us = 50;         ///< another writes: from the waiter's announcement to the write
  std::vector<int> cpus;             ///< empty: wherever the system lets it run
  bool control = false;              ///< the end of stdin ends the program
  bool hold = false;                 ///< before the warm-up it waits to be told `snapshot`, which a profiler does once it is there
};

/// Descriptors that a mode opens beside the registered pairs.
constexpr std::uint64_t further_descriptors(const Options& options) noexcept {
  switch (facts_of(options.mode).active) {
    case Active::further_one: return options.active;
    case Active::further_pairs: return 2 * std::uint64_t{options.active};
    case Active::unused:
    case Active::of_pairs: break;
  }
  return 0;
}

/// Reads `arguments` (without the program's name). `impls`: what the program has, the first one unless asked otherwise.
/// Returns one sentence on what is wrong, empty when nothing is.
std::string parse_options(std::span<char* const> arguments, std::span<const std::string_view> impls,
                          Options& options);

}  // namespace cost
