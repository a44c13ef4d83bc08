// What a round may be: the list of modes, each explained at the head of its file. run.h makes them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cost {

enum class Mode : std::uint8_t {
  drain,
  wakeup,
  wakeup_threads,
  wakeup_processes,
  add,
  modify,
  remove,
  toggle_write,
  accept_storm,
  udp_fan_in,
  loud_talker,
  teardown,
  after_spike,
  unread,
};

/// What `--active` counts.
enum class Active : std::uint8_t {
  unused,
  of_pairs,       ///< some of the registered pairs
  further_one,    ///< further descriptors, one each
  further_pairs,  ///< further descriptors, two each
};

struct ModeFacts {
  const char* name;
  Active active;
  bool writes;  ///< takes --writes
  bool budget;  ///< takes --budget
  bool second;  ///< another thread or process writes
};

inline constexpr ModeFacts kModes[] = {
    {.name = "drain", .active = Active::of_pairs, .writes = true, .budget = false, .second = false},
    {.name = "wakeup", .active = Active::unused, .writes = false, .budget = false, .second = false},
    {.name = "wakeup-threads", .active = Active::unused, .writes = false, .budget = false, .second = true},
    {.name = "wakeup-processes", .active = Active::unused, .writes = false, .budget = false, .second = true},
    {.name = "add", .active = Active::of_pairs, .writes = false, .budget = false, .second = false},
    {.name = "modify", .active = Active::of_pairs, .writes = false, .budget = false, .second = false},
    {.name = "remove", .active = Active::of_pairs, .writes = false, .budget = false, .second = false},
    {.name = "toggle-write", .active = Active::of_pairs, .writes = false, .budget = false, .second = false},
    {.name = "accept-storm", .active = Active::further_pairs, .writes = false, .budget = true, .second = false},
    {.name = "udp-fan-in", .active = Active::further_one, .writes = true, .budget = true, .second = false},
    {.name = "loud-talker", .active = Active::of_pairs, .writes = true, .budget = true, .second = false},
    {.name = "teardown", .active = Active::further_pairs, .writes = false, .budget = false, .second = false},
    {.name = "after-spike", .active = Active::further_pairs, .writes = false, .budget = false, .second = false},
    {.name = "unread", .active = Active::of_pairs, .writes = false, .budget = false, .second = false},
};

constexpr const ModeFacts& facts_of(Mode mode) noexcept { return kModes[static_cast<std::size_t>(mode)]; }

}  // namespace cost
