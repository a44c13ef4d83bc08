// epoll(7) that is told of changes in batches: the wait is epoll's own, and what is wanted since the last one goes to the set
// in one call before it, as entries of io_uring (IORING_OP_EPOLL_CTL). What epoll does is said in epoll.cc.
//
// a) One io_uring_enter however many changes, and none where there is none: a wait after changes is two calls, as a single
//    change and a wait are without a ring. It pays from the second change on, if it does.
// b) The kernel makes the change within that call. Where the set is being used by others it would do so later, so the call
//    waits for all its answers.
// c) An answer that is an error comes as a row: `invalid` where the descriptor is no longer what was registered (EBADF, or
//    ENOENT of a modification), else `error`. Level-triggered, the change is tried again by the next wait.
// d) What the set has is let go of at once, by an epoll_ctl of its own: the caller closes the descriptor next.
// e) A one-shot registration is armed by a modification, also by one that asks for what it had.
// f) EPOLLEXCLUSIVE is not had: it goes with an addition that nobody changes, which epoll does as well.
// g) Linux 5.6, and 5.13 for the ring's other needs. The ring belongs to the thread that opened it; closing it interrupts one
//    later call of that thread, see uring_poll.cc, j).
#ifdef __linux__
#include <algorithm>
#include <array>

#include "dispatch/epoll_set.h"
#include "dispatch/watches.h"
#include "uring/ring.h"

namespace dispatch {
namespace {

/// Entries between two calls, each with what the kernel reads when it takes them.
constexpr std::uint32_t kEntries = 256;

class EpollBatched final : public Backend {
 public:
  EpollBatched(Counters& counters, Trigger trigger) noexcept
      : Backend(counters), trigger_(trigger), capabilities_(EpollSet::capabilities(trigger, true)) {}

  /// Returns 0 or an errno. EINVAL: the kernel's rings do not know of epoll.
  int open() noexcept {
    if (const int error = set_.open()) return error;
    if (const int error = ring_.open({.submissions = kEntries})) return error;
    return ring_.supports(uring::op::epoll_ctl) ? 0 : EINVAL;
  }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle fd, Token token, Interest old, Interest wanted) noexcept override {
    watches_.want(fd, token, old, wanted);
    return 0;
  }

  void forget(Handle fd, Token token, Interest) noexcept override {
    Watch* const watch = watches_.find(token.slot);
    if (watch == nullptr) return;
    if (watch->in_kernel != 0) {
      ++told_;
      set_.control(EPOLL_CTL_DEL, fd, token, 0);
      account();
    }
    watch->wanted = watch->in_kernel = 0;
  }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    if (const int error = hand_over()) return {.error = error};
    if (refused_.empty()) return set_.wait(out, timeout, counters_);
    refused_first_ = !refused_first_;  // with room for one row both come in turn
    std::size_t count = refused_first_ ? report_refused(out) : 0;
    if (count < out.size()) {
      const WaitResult rest = set_.wait(out.subspan(count), 0, counters_);
      if (rest.error != 0) return rest;
      count += static_cast<std::size_t>(rest.count);
    }
    if (!refused_first_) count += report_refused(out.subspan(count));
    return {.count = static_cast<int>(count), .saturated = count == out.size()};
  }

 private:
  struct Refused {
    Slot slot;
    std::uint32_t generation;
    int error;
    bool gone;  // its descriptor is no longer what was registered
  };

  /// Writes rows about what was refused, as many as there is room for. Returns how many.
  std::size_t report_refused(std::span<Event> out) noexcept {
    const std::size_t count = std::min(refused_.size(), out.size());
    for (std::size_t i = 0; i < count; ++i) {
      const Refused& one = refused_[i];
      out[i] = {one.slot, one.generation, one.gone ? invalid : error, one.error};
      const Watch& watch = watches_[one.slot];
      const bool repeats = trigger_ == Trigger::level && !one.gone && watch.generation == one.generation;
      if (repeats && watch.wanted != 0) watches_.touch(one.slot, watch.wanted);
    }
    refused_.erase(refused_.begin(), refused_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

  /// Makes the set have what is wanted. Returns 0 or the errno of the ring.
  int hand_over() noexcept {
    int error = 0;
    std::uint32_t asked = 0;
    watches_.each_touched([&](Slot slot, const Watch& watch) {
      if (watch.wanted == 0 && watch.in_kernel == 0) return;
      if (watch.wanted == watch.in_kernel && trigger_ == Trigger::level) return;
      if (asked == kEntries) error = answers(asked);
      if (error == 0 && queue(slot, watch)) ++asked;
    });
    if (asked > 0 && error == 0) error = answers(asked);
    return error;
  }

  bool queue(Slot slot, const Watch& watch) noexcept {
    uring::Submission* const entry = ring_.next();
    if (entry == nullptr) return false;
    const auto interest = static_cast<Interest>(watch.wanted);
    epoll_event& event = events_[place_++ % kEntries];
    event = EpollSet::event_of({slot, watch.generation}, EpollSet::bits_of(interest) | EpollSet::bits_of(trigger_));
    entry->opcode = uring::op::epoll_ctl;
    entry->fd = set_.descriptor();
    entry->length = static_cast<std::uint32_t>(watch.wanted == 0      ? EPOLL_CTL_DEL
                                               : watch.in_kernel == 0 ? EPOLL_CTL_ADD
                                                                      : EPOLL_CTL_MOD);
    entry->offset = static_cast<std::uint64_t>(watch.handle);
    entry->address = reinterpret_cast<std::uint64_t>(&event);
    entry->user_data = slot;
    return true;
  }

  /// Hands over what is queued and takes all answers; `asked` is 0 afterwards.
  int answers(std::uint32_t& asked) noexcept {
    while (asked > 0) {
      const int failed = ring_.enter(asked, uring::kForever);
      account();
      if (failed != 0 && failed != EINTR) return failed;
      asked -= ring_.take(asked, [this](const uring::Completion& row) {
        answered(static_cast<Slot>(row.user_data), row.result);
      });
    }
    return 0;
  }

  void answered(Slot slot, int result) noexcept {
    Watch& watch = watches_[slot];
    const bool had = watch.in_kernel != 0;
    if (result == 0) {
      watch.in_kernel = watch.wanted;
      return;
    }
    watch.in_kernel = 0;
    if (watch.wanted == 0) return;  // taking out what is no longer there
    refused_.push_back({slot, watch.generation, -result, result == -EBADF || (had && result == -ENOENT)});
  }

  void account() noexcept {
    counters_.change_calls = ring_.counters().enters + told_;
    counters_.submissions = ring_.counters().submissions;
  }

  const Trigger trigger_;
  const Capabilities capabilities_;
  EpollSet set_;
  uring::Ring ring_;
  Watches<> watches_;
  std::array<epoll_event, kEntries> events_;  // of the entries that the kernel has not taken yet
  std::size_t place_ = 0;
  std::uint64_t told_ = 0;  // epoll_ctl calls
  std::vector<Refused> refused_;  // not told yet
  bool refused_first_ = false;
};

std::unique_ptr<Backend> make(Counters& counters, int& error, Trigger trigger) {
  auto backend = std::make_unique<EpollBatched>(counters, trigger);
  error = backend->open();
  if (error != 0) return nullptr;
  return backend;
}

}  // namespace

std::unique_ptr<Backend> make_epoll_batched(Counters& counters, int& error) {
  return make(counters, error, Trigger::level);
}
std::unique_ptr<Backend> make_epoll_batched_oneshot(Counters& counters, int& error) {
  return make(counters, error, Trigger::oneshot);
}

}  // namespace dispatch
#endif
