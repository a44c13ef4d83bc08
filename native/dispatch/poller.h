// Owner of registrations, shared by all backends: validates, remembers the old interest, gives out generations,
// drops what is stale, keeps the counters. Everything above native/dispatch talks to a Poller, never to a Backend.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "dispatch/backend.h"
#include "dispatch/registry.h"
#include "dispatch/slots.h"

namespace dispatch {

class Poller {
 public:
  /// Opens the backend of that name, or returns null with `probe` saying why (unknown name: error = EINVAL).
  static std::unique_ptr<Poller> open(std::string_view backend, Probe& probe);

  /// Registers a handle; from then on `slot` stands for it. EBADF: not open. EEXIST: already registered. ERANGE: beyond
  /// the backend's limit.
  int add(Handle handle, Interest wanted, Slot& slot) noexcept;
  /// Registers for reading what other pollers watch as well: one of those that wait is woken for an event, and not all of
  /// them. Errors as above, and ENOTSUP: the mechanism cannot. Its interest is not changed until it is forgotten.
  int add_exclusive(Handle handle, Slot& slot) noexcept;
  /// Changes the interest of a registration. ENOENT: there is none. Equal interest costs nothing.
  int modify(Slot slot, Interest wanted) noexcept;
  /// Arms a one-shot registration again with its last interest. ENOENT: there is none. Free on other backends.
  int rearm(Slot slot) noexcept;
  /// Ends a registration; call it before closing the handle. ENOENT: there is none. Events of it still in a batch
  /// become stale.
  int forget(Slot slot) noexcept;

  /// See Backend: 0 or an errno.
  int poll_busily(std::uint32_t microseconds) noexcept { return backend_->poll_busily(microseconds); }

  /// Each wait that may sleep does so for this long before it looks, so that what is ready gathers, as it does for an engine
  /// that waits for a batch. The sleep is a system call of its own, which no counter has. 0: it looks at once.
  void wait_at_least(std::uint32_t microseconds) noexcept;

  /// Each wait that may sleep looks first, without a wait queue to enter for every descriptor, and sleeps only where nothing is
  /// ready: a system call more then. False: it does not.
  void look_first(bool wanted) noexcept { look_first_ = wanted; }

  /// What is registered under `slot`. On POSIX the slot is the descriptor, and this is nothing at run time.
  Handle handle(Slot slot) const noexcept { return slots_.handle(slot); }

  /// Waits and fills `out` (at least one row). EINTR is not an error. See Backend::wait. Rows of ended registrations
  /// are dropped and counted; error and hangup also set readable and writable as far as asked for, as select does.
  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept;

  /// False when the registration an event speaks of has been forgotten since (also within the same batch).
  bool current(const Event& event) const noexcept {
    return event.slot < registrations_.size() && registrations_[event.slot].generation == event.generation;
  }
  /// Generation that the next or present registration of `slot` carries.
  std::uint32_t generation(Slot slot) const noexcept {
    return slot < registrations_.size() ? registrations_[slot].generation : 0;
  }
  /// Interest of a registered slot, `none` for others.
  Interest interest(Slot slot) const noexcept {
    return known(slot) ? registrations_[slot].interest() : Interest::none;
  }
  std::size_t registered() const noexcept { return registered_; }

  const BackendEntry& entry() const noexcept { return entry_; }
  const Capabilities& capabilities() const noexcept { return backend_->capabilities(); }
  const Counters& counters() const noexcept { return counters_; }

 private:
  explicit Poller(const BackendEntry& entry) noexcept : entry_(entry) {}
  bool known(Slot slot) const noexcept { return slot < registrations_.size() && registrations_[slot].registered; }
  Token token(Slot slot) const noexcept { return {slot, registrations_[slot].generation}; }
  template <class Watch>
  int enter(Handle handle, Interest wanted, Slot& slot, Watch watch) noexcept;
  /// In one word: among many registrations each event's is a line of memory that nothing else has brought, so what a wait
  /// costs beyond the kernel is how many of them share one.
  struct Registration {
    // Of one type, without which some compilers begin a new word.
    std::uint32_t generation : 29 = 0;
    std::uint32_t interest_bits : 2 = 0;
    std::uint32_t registered : 1 = 0;

    Interest interest() const noexcept { return static_cast<Interest>(interest_bits); }
    void interest(Interest wanted) noexcept { interest_bits = static_cast<std::uint32_t>(wanted) & 3u; }
  };
  static_assert(sizeof(Registration) == 4);
  const BackendEntry& entry_;
  Counters counters_;
  std::unique_ptr<Backend> backend_;
  [[no_unique_address]] Slots slots_;
  std::vector<Registration> registrations_;  // by slot
  std::size_t registered_ = 0;
  TimeoutNs least_wait_ = 0;
  bool look_first_ = false;
};

}  // namespace dispatch
