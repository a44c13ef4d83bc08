// The loop of a sender or a receiver: waits, lets every stream that has something to do go on until it would wait or has had
// its share of the turn, until all is done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "dispatch/poller.h"
#include "process/clock.h"
#include "servers/control.h"
#include "transfer/options.h"

namespace transfer {

/// What a stream did with one call of at most a chunk.
struct Step {
  std::size_t bytes = 0;
  bool more = false;  ///< there may be more for it at once
};

/// The budget of streams each of whose steps is already as long as a turn may be.
constexpr std::size_t kOneStep = 0;

/// Streams by number that are to take steps. A stream takes one after the other until it would wait, or has moved `budget`
/// bytes, so that a wait is paid for many calls and yet none holds up the others. A mechanism that repeats itself (level) or
/// was armed again tells of what is left; edges do not, and such a stream stays.
class Ready {
 public:
  Ready(dispatch::Poller& poller, std::size_t budget) noexcept
      : poller_(poller), budget_(budget), edge_(poller.capabilities().trigger == dispatch::Trigger::edge) {}

  /// Whether a call of `asked` bytes that moved `moved` leaves something to do at once. A short one has drained the socket,
  /// or filled it, and the system will tell of a change; only edges may have told of it already (an end behind the bytes).
  bool may_go_on(std::size_t moved, std::size_t asked) const noexcept { return moved == asked || edge_; }

  void add(std::uint32_t stream) {
    if (stream >= waiting_.size()) waiting_.resize(stream + 1);
    if (waiting_[stream]) return;
    waiting_[stream] = true;
    next_.push_back(stream);
  }
  bool empty() const noexcept { return next_.empty(); }

  /// `take(stream, slot)` takes one step and returns a Step; it leaves `slot` kNoSlot where the stream is no longer
  /// registered.
  template <class Take>
  void turn(const Take& take) {
    now_.swap(next_);
    for (const std::uint32_t stream : now_) {
      waiting_[stream] = false;
      dispatch::Slot slot = dispatch::kNoSlot;
      Step taken;
      std::size_t moved = 0;
      do {
        taken = take(stream, slot);
        moved += taken.bytes;
      } while (taken.more && moved < budget_);
      if (slot == dispatch::kNoSlot) continue;
      poller_.rearm(slot);
      if (taken.more && edge_) add(stream);
    }
    now_.clear();
  }

 private:
  dispatch::Poller& poller_;
  std::size_t budget_;
  bool edge_;
  std::vector<bool> waiting_;
  std::vector<std::uint32_t> now_;
  std::vector<std::uint32_t> next_;
};

/// A Service is a Sender or a Receiver. One sentence on why it ended before it was done.
template <class Service>
std::string turn_until_done(dispatch::Poller& poller, servers::Control& control, const Options& options,
                            Service& service) {
  std::vector<dispatch::Event> events(options.base.budgets.max_events);
  while (!service.done()) {
    const dispatch::WaitResult result = poller.wait(events, service.patience());
    if (result.error != 0) {
      return std::string(poller.capabilities().wait_call) + " failed: " + std::strerror(result.error);
    }
    for (const dispatch::Event& event : std::span(events).first(static_cast<std::size_t>(result.count))) {
      if (!poller.current(event)) continue;
      const dispatch::Handle handle = poller.handle(event.slot);
      if (control.owns(handle)) [[unlikely]] {
        control.on_readable(handle, [](std::string_view) {});
        poller.rearm(event.slot);
      } else {
        service.on_event(event);
      }
    }
    service.end_turn();
    if (control.stopping()) return "it was told to stop (" + std::string(control.reason()) + ")";
  }
  return service.fault();
}

}  // namespace transfer
