// The command line of dispatchbench-dispatch-cost; src/programs/cost.ts writes it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cost {

/// What a round is; each is explained at the head of its file.
enum class Mode : std::uint8_t { drain, wakeup, wakeup_threads };
inline constexpr const char* kModeNames[] = {"drain", "wakeup", "wakeup-threads"};

struct Options {
  Mode mode = Mode::drain;
  bool baseline = false;             ///< bare system calls instead of a Poller
  std::string backend;
  std::uint32_t pairs = 100;         ///< socket pairs registered
  std::uint32_t active = 1;          ///< drain: pairs written at the start of a round
  std::uint32_t writes = 0;          ///< drain: further writes that handlers forward in a round
  std::uint32_t max_events = 1024;   ///< rows of one wait's result array
  std::uint64_t seed = 1;            ///< of the generator that draws the active pairs
  std::uint64_t rounds = 1000;       ///< measured rounds; 0: as many as `duration_ms` holds
  std::uint64_t warmup_rounds = 100;
  std::uint64_t duration_ms = 0;     ///< measured time, 0: `rounds` decides
  std::uint64_t warmup_ms = 0;
  std::uint64_t gap_us = 50;         ///< wakeup-threads: from the waiter's announcement to the write
  std::vector<int> cpus;             ///< empty: wherever the system lets it run
  bool control = false;              ///< the end of stdin ends the program
};

/// Reads `arguments` (without the program's name). Returns one sentence on what is wrong, empty when nothing is.
std::string parse_options(std::span<char* const> arguments, Options& options);

}  // namespace cost
