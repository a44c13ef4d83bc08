// What every backend is: one mechanism behind four verbs. See registry.h for the list and poller.h for the owner.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>

#include "dispatch/facts.h"

namespace dispatch {

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

  /// Makes the kernel watch `handle` for `wanted`, given that it now watches it for `old`; rows about it carry `token`.
  /// May queue the change until the next wait if capabilities().batched_changes. Returns 0 or an errno; on failure
  /// nothing has changed.
  virtual int set_interest(Handle handle, Token token, Interest old, Interest wanted) noexcept = 0;

  /// Watches `handle` for reading, and has one of the backends that wait for it woken, not all of them. Returns 0 or an
  /// errno, ENOTSUP where the mechanism cannot. It is not modified afterwards.
  virtual int watch_exclusively(Handle, Token) noexcept { return ENOTSUP; }

  /// Has waits ask network cards for packets for so many microseconds before they sleep. Returns 0 or an errno, ENOTSUP
  /// where the mechanism has no such thing.
  virtual int poll_busily(std::uint32_t) noexcept { return ENOTSUP; }

  /// Removes every trace of `handle`, at once on every backend: the caller closes it next.
  virtual void forget(Handle handle, Token token, Interest old) noexcept = 0;

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
