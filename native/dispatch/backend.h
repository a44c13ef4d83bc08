// What every backend is: one mechanism behind four verbs. See registry.h for the list and poller.h for the owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "dispatch/event.h"

namespace dispatch {

/// What a wait cost and brought, summed since the poller was opened. Plain numbers, written by one thread.
/// They explain most differences between results; test/dispatch compares them with strace's counts.
struct Counters {
  std::uint64_t waits = 0;            ///< system calls that wait (epoll_pwait2, ppoll, pselect6, kevent)
  std::uint64_t empty_waits = 0;      ///< waits that brought no event (timeout or interruption)
  std::uint64_t saturated_waits = 0;  ///< waits that filled the whole result array: more may be ready
  std::uint64_t events = 0;           ///< rows handed to the caller
  std::uint64_t raw_events = 0;       ///< rows the kernel reported before merging and dropping
  std::uint64_t change_calls = 0;     ///< system calls made only to change interest (epoll_ctl)
  std::uint64_t changes = 0;          ///< changes of interest asked for
  std::uint64_t stale = 0;            ///< kernel rows dropped because their registration is gone
  std::uint64_t spurious = 0;         ///< kernel rows dropped because they carried no flag asked for
  std::uint64_t rearms = 0;           ///< one-shot registrations armed again
  std::uint64_t interrupted = 0;      ///< waits ended by a signal (EINTR)
};
inline constexpr int kCounterWords = sizeof(Counters) / sizeof(std::uint64_t);

enum class WaitComplexity : std::uint8_t { active, registered, highest_descriptor };

/// Facts about a backend on this system; printed by `probe` and carried by every sample.
struct Capabilities {
  Trigger trigger = Trigger::level;
  WaitComplexity wait_complexity = WaitComplexity::registered;
  std::int64_t timeout_resolution_ns = 1;  ///< unit in which the kernel takes the timeout
  std::int32_t max_descriptor = -1;        ///< highest descriptor number it can watch, -1 = limited only by the process
  bool needs_rearm = false;                ///< true: after an event the caller must rearm() the descriptor
  bool reports_read_closed = false;        ///< true: FIN is flagged read_closed without reading
  bool batched_changes = false;            ///< true: changes ride the next wait (kqueue)
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

struct WaitResult {
  int count = 0;             ///< rows written to `out`
  bool saturated = false;    ///< `out` was filled: more may be ready
  bool interrupted = false;  ///< a signal ended the wait (count is 0, error is 0)
  int error = 0;             ///< errno of a failed wait, else 0
};

/// One mechanism. Used by Poller only, which validates arguments and owns the old interest; a backend never sees an
/// unknown descriptor, a repeated add, or wanted == old (except to re-arm a one-shot registration).
class Backend {
 public:
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  virtual const Capabilities& capabilities() const noexcept = 0;

  /// Makes the kernel watch `fd` for `wanted`, given that it now watches it for `old`. May queue the change until the
  /// next wait if capabilities().batched_changes. Returns 0 or an errno; on failure nothing has changed.
  virtual int set_interest(int fd, Token token, Interest old, Interest wanted) noexcept = 0;

  /// Removes every trace of `fd`, at once on every backend: the caller closes it next.
  virtual void forget(int fd, Token token, Interest old) noexcept = 0;

  /// Waits, and writes at most out.size() rows, one per descriptor, none without a flag. Never ends early without an
  /// event: timeouts round up. Counts into the counters given at creation (waits, raw_events, change_calls, ...).
  virtual WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept = 0;

 protected:
  explicit Backend(Counters& counters) noexcept : counters_(counters) {}
  Counters& counters_;
};

/// Creates a backend or returns null with `error` set to an errno.
using BackendFactory = std::unique_ptr<Backend> (*)(Counters& counters, int& error);

}  // namespace dispatch
