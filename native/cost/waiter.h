// The two ways to wait for a pair that are compared: through a Poller, as every server of ours does, and with bare system
// calls. Both have watch(fd, pair), wait(handle) and effort(); wait calls handle(pair) for every ready pair and returns 0
// or an errno. It blocks until there is one; a wait that a signal ended brings none and is no error.
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
  std::uint64_t change_calls = 0;
  std::optional<dispatch::Counters> counters;  ///< the poller's; bare system calls have none
};

/// Pair by slot, or by descriptor where no Poller hands out slots.
class PairTable {
 public:
  void put(std::size_t key, std::uint32_t pair) {
    if (key >= pairs_.size()) pairs_.resize(key + 1);
    pairs_[key] = pair;
  }
  std::uint32_t operator[](std::size_t key) const noexcept { return pairs_[key]; }

 private:
  std::vector<std::uint32_t> pairs_;
};

class PollerWaiter {
 public:
  PollerWaiter(dispatch::Poller& poller, std::size_t max_events) : poller_(poller), events_(max_events) {}

  /// 0 or an errno.
  int watch(int fd, std::uint32_t pair) {
    dispatch::Slot slot = 0;
    if (const int error = poller_.add(fd, dispatch::Interest::read, slot)) return error;
    pairs_.put(slot, pair);
    return 0;
  }

  template <class Handle>
  int wait(Handle handle) {
    const dispatch::WaitResult result = poller_.wait(events_, dispatch::kForever);
    for (const dispatch::Event& event : std::span(events_).first(static_cast<std::size_t>(result.count))) {
      handle(pairs_[event.slot]);
      poller_.rearm(event.slot);
    }
    return result.error;
  }

  Effort effort() const {
    const dispatch::Counters& counters = poller_.counters();
    return {counters.waits, counters.change_calls, counters};
  }

 private:
  dispatch::Poller& poller_;
  std::vector<dispatch::Event> events_;
  PairTable pairs_;
};

/// `Mechanism` is a type of programs/raw_mechanisms.h.
template <class Mechanism>
class RawWaiter {
 public:
  explicit RawWaiter(std::size_t max_events) : mechanism_(max_events) {}

  int watch(int fd, std::uint32_t pair) {
    pairs_.put(static_cast<std::size_t>(fd), pair);
    mechanism_.set(fd, true, false);
    ++effort_.change_calls;
    return 0;
  }

  template <class Handle>
  int wait(Handle handle) {
    ++effort_.waits;
    const int count = mechanism_.wait([&](int fd) { handle(pairs_[static_cast<std::size_t>(fd)]); });
    return count >= 0 || errno == EINTR ? 0 : errno;
  }

  Effort effort() const { return effort_; }

 private:
  Mechanism mechanism_;
  Effort effort_;
  PairTable pairs_;
};

}  // namespace cost
