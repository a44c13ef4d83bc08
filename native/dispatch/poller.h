// Owner of registrations, shared by all backends: validates, remembers the old interest, gives out generations,
// drops what is stale, keeps the counters. Everything above native/dispatch talks to a Poller, never to a Backend.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "dispatch/backend.h"
#include "dispatch/registry.h"

namespace dispatch {

class Poller {
 public:
  /// Opens the backend of that name, or returns null with `probe` saying why (unknown name: error = EINVAL).
  static std::unique_ptr<Poller> open(std::string_view backend, Probe& probe);

  /// Registers a descriptor. EBADF: not open. EEXIST: already registered. ERANGE: beyond the backend's limit.
  int add(int fd, Interest wanted) noexcept;
  /// Changes the interest of a registered descriptor. ENOENT: not registered. Equal interest costs nothing.
  int modify(int fd, Interest wanted) noexcept;
  /// add() or modify(), whichever applies: what a list of changes asks for.
  int set(int fd, Interest wanted) noexcept { return known(fd) ? modify(fd, wanted) : add(fd, wanted); }
  /// Arms a one-shot registration again with its last interest. ENOENT: not registered. Free on other backends.
  int rearm(int fd) noexcept;
  /// Ends a registration; call it before close(fd). ENOENT: not registered. Events of it still in a batch become stale.
  int forget(int fd) noexcept;

  /// Waits and fills `out` (at least one row). EINTR is not an error. See Backend::wait. Rows of ended registrations
  /// are dropped and counted; error and hangup also set readable and writable as far as asked for, as select does.
  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept;

  /// False when the registration an event speaks of has been forgotten since (also within the same batch).
  bool current(const Event& event) const noexcept {
    return event.slot < slots_.size() && slots_[event.slot].generation == event.generation;
  }
  /// Generation that the next or present registration of `fd` carries.
  std::uint32_t generation(int fd) const noexcept {
    return static_cast<std::size_t>(fd) < slots_.size() ? slots_[static_cast<std::size_t>(fd)].generation : 0;
  }
  /// Interest of a registered descriptor, `none` for others.
  Interest interest(int fd) const noexcept {
    return known(fd) ? slots_[static_cast<std::size_t>(fd)].interest : Interest::none;
  }
  std::size_t registered() const noexcept { return registered_; }

  const BackendEntry& entry() const noexcept { return entry_; }
  const Capabilities& capabilities() const noexcept { return backend_->capabilities(); }
  const Counters& counters() const noexcept { return counters_; }

 private:
  explicit Poller(const BackendEntry& entry) noexcept : entry_(entry) {}
  bool known(int fd) const noexcept {
    return static_cast<std::size_t>(fd) < slots_.size() && slots_[static_cast<std::size_t>(fd)].registered;
  }
  Token token(int fd) const noexcept {
    return {static_cast<std::uint32_t>(fd), slots_[static_cast<std::size_t>(fd)].generation};
  }
  struct Slot {
    std::uint32_t generation = 0;
    Interest interest = Interest::none;
    bool registered = false;
  };
  const BackendEntry& entry_;
  Counters counters_;
  std::unique_ptr<Backend> backend_;
  std::vector<Slot> slots_;  // by descriptor number: 8 bytes each
  std::size_t registered_ = 0;
};

}  // namespace dispatch
