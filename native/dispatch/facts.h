// What is known of a backend and counted about it: each list once, with the names that contracts and reports use.
// src/contract/names.ts repeats the names; loading the addon fails when the two differ in name or order.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "dispatch/event.h"

namespace dispatch {

/// What a wait cost and brought, summed since the poller was opened. Plain numbers, written by one thread.
/// They explain most differences between results; test/dispatch compares them with strace's counts.
struct Counters {
  std::uint64_t waits = 0;            ///< system calls that wait (epoll_pwait2, ppoll, pselect6, kevent, ...)
  std::uint64_t empty_waits = 0;      ///< waits that brought no event (timeout or interruption)
  std::uint64_t saturated_waits = 0;  ///< waits that filled the whole result array: more may be ready
  std::uint64_t events = 0;           ///< rows handed to the caller
  std::uint64_t raw_events = 0;       ///< rows the kernel reported before merging and dropping
  std::uint64_t change_calls = 0;     ///< system calls made only to change interest (epoll_ctl)
  std::uint64_t submissions = 0;      ///< entries told to the kernel by a call that was made anyway (io_uring, kqueue)
  std::uint64_t changes = 0;          ///< changes of interest asked for
  std::uint64_t stale = 0;            ///< kernel rows dropped because their registration is gone or was asked anew
  std::uint64_t spurious = 0;         ///< kernel rows dropped because they carried no flag asked for
  std::uint64_t rearms = 0;           ///< one-shot registrations armed again
  std::uint64_t interrupted = 0;      ///< waits ended by a signal (EINTR)
};

/// Calls visit(name, value) for every counter: the list of their names and order, from which the server contract's
/// lines and the addon's arrays are made.
template <class Visit>
constexpr void each_field(const Counters& c, Visit visit) {
  visit("waits", c.waits);
  visit("emptyWaits", c.empty_waits);
  visit("saturatedWaits", c.saturated_waits);
  visit("events", c.events);
  visit("rawEvents", c.raw_events);
  visit("changeCalls", c.change_calls);
  visit("submissions", c.submissions);
  visit("changes", c.changes);
  visit("stale", c.stale);
  visit("spurious", c.spurious);
  visit("rearms", c.rearms);
  visit("interrupted", c.interrupted);
}

/// How many there are.
inline constexpr std::size_t kCounters = [] {
  std::size_t count = 0;
  each_field(Counters{}, [&count](const char*, std::uint64_t) { ++count; });
  return count;
}();
static_assert(kCounters * sizeof(std::uint64_t) == sizeof(Counters), "each_field leaves a counter out");

/// Sums of several pollers.
inline Counters& operator+=(Counters& sum, const Counters& more) noexcept {
  using Numbers = std::array<std::uint64_t, kCounters>;
  auto numbers = std::bit_cast<Numbers>(sum);
  const auto added = std::bit_cast<Numbers>(more);
  for (std::size_t i = 0; i < kCounters; ++i) numbers[i] += added[i];
  return sum = std::bit_cast<Counters>(numbers);
}

/// What was counted between two readings of one poller.
inline Counters operator-(const Counters& later, const Counters& earlier) noexcept {
  using Numbers = std::array<std::uint64_t, kCounters>;
  auto numbers = std::bit_cast<Numbers>(later);
  const auto before = std::bit_cast<Numbers>(earlier);
  for (std::size_t i = 0; i < kCounters; ++i) numbers[i] -= before[i];
  return std::bit_cast<Counters>(numbers);
}

enum class WaitComplexity : std::uint8_t { active, registered, highest_descriptor };

/// Facts about a backend on this system; printed by `probe` and carried by every sample.
struct Capabilities {
  Trigger trigger = Trigger::level;
  WaitComplexity wait_complexity = WaitComplexity::registered;
  std::int64_t timeout_resolution_ns = 1;  ///< unit in which the kernel takes the timeout
  std::int32_t max_descriptor = -1;        ///< highest descriptor number it can watch, -1 = limited only by the process
  bool needs_rearm = false;                ///< true: after an event the caller must rearm() the descriptor
  bool reports_read_closed = false;        ///< true: FIN is flagged read_closed without reading
  bool batched_changes = false;            ///< true: changes ride the next wait (kqueue, io_uring)
  const char* wait_call = "";              ///< the system call that waits, as strace prints it
};

/// As contracts and reports spell them.
constexpr const char* name_of(Trigger trigger) noexcept {
  constexpr const char* names[] = {"level", "edge", "oneshot"};
  return names[static_cast<std::size_t>(trigger)];
}
constexpr const char* name_of(WaitComplexity complexity) noexcept {
  constexpr const char* names[] = {"active", "registered", "highest_descriptor"};
  return names[static_cast<std::size_t>(complexity)];
}

/// Calls visit(name, value) for every capability, in the order of the contract.
template <class Visit>
constexpr void each_field(const Capabilities& c, Visit visit) {
  visit("trigger", name_of(c.trigger));
  visit("waitComplexity", name_of(c.wait_complexity));
  visit("timeoutResolutionNs", c.timeout_resolution_ns);
  visit("maxDescriptor", c.max_descriptor);
  visit("needsRearm", c.needs_rearm);
  visit("reportsReadClosed", c.reports_read_closed);
  visit("batchedChanges", c.batched_changes);
  visit("waitCall", c.wait_call);
}

}  // namespace dispatch
