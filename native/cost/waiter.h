// The ways to wait for a pair that are compared: through a Poller, as every server of ours does, with bare system calls,
// and (native/peers) with other people's loops. All have
//   watch(fd, pair)      registers for reading; `pair` is any small number by which the caller knows it. 0 or an errno
//   writes(pair, on)     asks for writing as well, or no longer. 0 or an errno
//   unwatch(pair)        ends the registration; the descriptor is closed next
//   wait(handle)         calls handle(pair) for every ready pair; 0 or an errno. It blocks until there is one; a wait that
//                        a signal ended brings none and is no error
//   repeats()            what is left unread makes it ready again
//   effort()
#pragma once

#include <cerrno>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dispatch/poller.h"

namespace cost {

/// What waiting has cost in system calls since the start.
struct Effort {
  std::uint64_t waits = 0;
  std::uint64_t change_calls = 0;  ///< made only to change interest
  std::optional<dispatch::Counters> counters;  ///< the poller's; bare system calls have none
};

/// Sums up what waiting cost outside the clock of a round, which is no part of its figures. Its operator is a function of its
/// own, by whose name callgrind leaves out what happens in it (src/stage/instructions.ts).
template <class Waiter>
class Untimed {
 public:
  explicit Untimed(const Waiter& waiter) : waiter_(waiter) {}
  template <class Work>
  [[gnu::noinline]] auto operator()(Work work) {
    const Effort before = waiter_.effort();
    const auto result = work();
    const Effort after = waiter_.effort();
    effort_.waits += after.waits - before.waits;
    effort_.change_calls += after.change_calls - before.change_calls;
    return result;
  }
  const Effort& effort() const noexcept { return effort_; }

 private:
  const Waiter& waiter_;
  Effort effort_;
};

/// Small number by small number: a pair by its slot or descriptor, and the other way round.
class NumberTable {
 public:
  void put(std::size_t key, std::uint32_t value) {
    if (key >= values_.size()) values_.resize(key + key / 2 + 1);
    values_[key] = value;
  }
  std::uint32_t operator[](std::size_t key) const noexcept { return values_[key]; }

 private:
  std::vector<std::uint32_t> values_;
};

class PollerWaiter {
 public:
  PollerWaiter(dispatch::Poller& poller, std::size_t max_events)
      : poller_(poller), needs_rearm_(poller.capabilities().needs_rearm), events_(max_events) {}

  int watch(int fd, std::uint32_t pair) {
    dispatch::Slot slot = 0;
    if (const int error = poller_.add(fd, dispatch::Interest::read, slot)) return error;
    pairs_.put(slot, pair);
    slots_.put(pair, slot);
    return 0;
  }
  int writes(std::uint32_t pair, bool on) {
    changed_ = true;
    return poller_.modify(slots_[pair], on ? dispatch::Interest::both : dispatch::Interest::read);
  }
  int unwatch(std::uint32_t pair) {
    changed_ = true;
    return poller_.forget(slots_[pair]);
  }

  template <class Handle>
  int wait(Handle handle) {
    const dispatch::WaitResult result = poller_.wait(events_, dispatch::kForever);
    for (const dispatch::Event& event : std::span(events_).first(static_cast<std::size_t>(result.count))) {
      changed_ = false;
      handle(pairs_[event.slot]);
      // A change of interest has armed it already.
      if (needs_rearm_ && !changed_) poller_.rearm(event.slot);
    }
    return result.error;
  }

  bool repeats() const noexcept { return poller_.capabilities().trigger != dispatch::Trigger::edge; }
  Effort effort() const {
    const dispatch::Counters& counters = poller_.counters();
    return {counters.waits, counters.change_calls, counters};
  }

 private:
  dispatch::Poller& poller_;
  const bool needs_rearm_;
  bool changed_ = false;  // by the handler
  std::vector<dispatch::Event> events_;
  NumberTable pairs_;  // by slot
  NumberTable slots_;  // by pair
};

/// `Mechanism` is a type of programs/raw_mechanisms.h.
template <class Mechanism>
class RawWaiter {
 public:
  explicit RawWaiter(std::size_t max_events) : mechanism_(max_events) {}

  int watch(int fd, std::uint32_t pair) {
    pairs_.put(static_cast<std::size_t>(fd), pair);
    descriptors_.put(pair, static_cast<std::uint32_t>(fd));
    mechanism_.add(fd, true, false);
    return 0;
  }
  int writes(std::uint32_t pair, bool on) {
    mechanism_.set(descriptor(pair), true, on);
    return 0;
  }
  int unwatch(std::uint32_t pair) {
    if constexpr (requires { mechanism_.drop(0); }) {
      mechanism_.drop(descriptor(pair));
    } else {
      mechanism_.remove(descriptor(pair));
    }
    return 0;
  }

  template <class Handle>
  int wait(Handle handle) {
    ++waits_;
    const int count = mechanism_.wait([&](int fd) { handle(pairs_[static_cast<std::size_t>(fd)]); });
    return count >= 0 || errno == EINTR ? 0 : errno;
  }

  bool repeats() const noexcept { return true; }
  Effort effort() const { return {waits_, mechanism_.change_calls(), std::nullopt}; }

 private:
  int descriptor(std::uint32_t pair) const noexcept { return static_cast<int>(descriptors_[pair]); }

  Mechanism mechanism_;
  std::uint64_t waits_ = 0;
  NumberTable pairs_;        // by descriptor
  NumberTable descriptors_;  // by pair
};

}  // namespace cost
