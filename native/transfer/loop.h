// The loop of a sender or a receiver: waits, lets every stream that has something to do take one step, until all is done.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "dispatch/poller.h"
#include "process/clock.h"
#include "servers/control.h"
#include "transfer/options.h"

namespace transfer {

/// Streams by number that are to take a step. One step is one call of at most a chunk, so that none holds up the others. A
/// mechanism that repeats itself (level) or was armed again tells of the next one; edges do not, and such a stream stays.
class Ready {
 public:
  explicit Ready(dispatch::Poller& poller) noexcept : poller_(poller) {}

  void add(std::uint32_t stream) {
    if (stream >= waiting_.size()) waiting_.resize(stream + 1);
    if (waiting_[stream]) return;
    waiting_[stream] = true;
    next_.push_back(stream);
  }
  bool empty() const noexcept { return next_.empty(); }

  /// `step(stream, slot)` takes one step and returns whether there may be another one at once; it leaves `slot` kNoSlot
  /// where the stream is no longer registered.
  template <class Step>
  void turn(const Step& step) {
    now_.swap(next_);
    for (const std::uint32_t stream : now_) {
      waiting_[stream] = false;
      dispatch::Slot slot = dispatch::kNoSlot;
      const bool more = step(stream, slot);
      if (slot == dispatch::kNoSlot) continue;
      poller_.rearm(slot);
      if (more && poller_.capabilities().trigger == dispatch::Trigger::edge) add(stream);
    }
    now_.clear();
  }

 private:
  dispatch::Poller& poller_;
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
