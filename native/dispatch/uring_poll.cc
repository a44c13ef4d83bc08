// io_uring(7) as readiness: a poll request for each descriptor; one call hands over changes, waits and brings rows.
//
// a) uring-poll: multishot requests, which are edge-triggered: the state at arming and every change is a row, the same
//    state is not. uring-poll-oneshot: requests that end with their row, until Poller::rearm. uring-poll-level: the
//    same, armed again by the next wait, which finds what is still there. (IORING_POLL_ADD_LEVEL is something else.)
// b) An armed request holds the open file: closing the descriptor would send no FIN and tell nobody. forget() therefore
//    cancels, and waits until the kernel has let go; so does the destructor.
// c) Another interest cancels a request and arms the next, both with the next wait. Rows of the former are dropped: the
//    new one tells what is there.
// d) A multishot request ends when the kernel has no room for its row (no F_MORE): it is armed again.
// e) Rows that do not fit in the caller's result array stay in the ring, in order, and are served first by the next
//    wait, without a system call when nothing is to be handed over.
// f) The call that hands over entries says how many it took, and not that a signal or the timeout ended it: when no row
//    came before the time was over, it was a signal.
// g) POLLRDHUP comes unasked, as POLLERR and POLLHUP do: a half-closed peer would end each request of a writer that
//    cannot write. Such a writer gets a multishot request, whose rows without POLLOUT are dropped.
// h) What became ready is looked at within the wait alone (deferred task work, see uring/ring.h), at most some twenty
//    requests at a time (Linux 6.13).
// i) Linux 5.13. The ring belongs to the thread that opened it.
// j) Closing a ring interrupts one later system call of the thread that opened it (EINTR of epoll_wait), because the
//    kernel clears up behind it in the thread's name.
#ifdef __linux__
#include "dispatch/factories.h"
#include "dispatch/poll_requests.h"
#include "process/clock.h"

namespace dispatch {
namespace {

class UringPoll final : public Backend {
 public:
  UringPoll(Counters& counters, Trigger trigger) noexcept
      : Backend(counters),
        capabilities_{
            .trigger = trigger,
            .wait_complexity = WaitComplexity::active,
            .timeout_resolution_ns = 1,
            .needs_rearm = trigger == Trigger::oneshot,
            .reports_read_closed = true,
            .batched_changes = true,
            .wait_call = "io_uring_enter",
        } {}

  ~UringPoll() override {
    Slot slot = 0;
    for (PollRequest& request : watches_.all()) requests_.release(slot++, request, held_);
  }

  int open() noexcept { return requests_.open(); }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle fd, Token token, Interest old, Interest wanted) noexcept override {
    watches_.want(fd, token, old, wanted);
    return 0;
  }

  void forget(Handle, Token token, Interest) noexcept override {
    PollRequest* request = watches_.find(token.slot);
    if (request == nullptr) return;
    request->wanted = 0;
    request->multishot = false;
    requests_.release(token.slot, *request, held_);
    ++request->serial;  // also of one that had ended: its row may still be there
    account();
  }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    const std::int64_t end = timeout > 0 ? process::monotonic_now() + timeout : 0;
    std::uint32_t count = 0;
    for (TimeoutNs left = timeout;;) {
      if (!hand_over()) return {.error = ring_.submit()};
      const bool waits = nothing_there();
      int error = 0;
      if (waits || ring_.queued() != 0) {
        ++counters_.waits;
        error = ring_.enter(waits ? 1 : 0, waits ? left : 0);
      }
      account();
      const bool silent = nothing_there();
      if (silent && error != 0) return {.interrupted = error == EINTR, .error = error == EINTR ? 0 : error};
      deliver(out, count);
      if (count > 0 || (silent && timeout == 0)) break;
      if (timeout > 0 && (left = end - process::monotonic_now()) <= 0) break;
      if (silent && ring_.queued() == 0) return {.interrupted = true};  // f)
    }
    return {.count = static_cast<int>(count), .saturated = count == out.size()};
  }

 private:
  bool nothing_there() const noexcept { return held_.empty() && ring_.ready() == 0; }

  /// Queues what makes the kernel watch what is wanted. False when it takes nothing.
  bool hand_over() noexcept {
    bool taken = true;
    watches_.each_touched([this, &taken](Slot slot, PollRequest& request) {
      const bool edge = capabilities_.trigger == Trigger::edge;
      // Only what tells once and has not told yet may stay as it is.
      if (request.in_kernel == request.wanted && !request.multishot) return;
      if (request.in_kernel != 0) taken = requests_.cancel(slot, request) && taken;
      if (request.wanted == 0) return;
      request.multishot = edge || (request.multishot && request.wanted == writable);
      taken = requests_.arm(slot, request) && taken;
    });
    return taken;
  }

  /// Turns rows of the kernel into events, as long as there is room.
  void deliver(std::span<Event> out, std::uint32_t& count) noexcept {
    std::size_t served = 0;
    for (; served < held_.size() && count < out.size(); ++served) take(held_[served], out, count);
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(served));
    while (count < out.size() && ring_.ready() != 0) {
      const auto room = static_cast<std::uint32_t>(out.size()) - count;
      ring_.take(room, [&](const uring::Completion& row) { take(row, out, count); });
    }
  }

  void take(const uring::Completion& row, std::span<Event> out, std::uint32_t& count) noexcept {
    if (!PollRequests::tells(row)) return;
    ++counters_.raw_events;
    const auto slot = static_cast<Slot>(row.user_data);
    PollRequest& request = watches_[slot];
    if (PollRequests::name_of(slot, request) != row.user_data) {
      ++counters_.stale;
      return;
    }
    if (PollRequests::is_last(row)) request.in_kernel = 0;
    const std::uint32_t flags = flags_of(row, request);
    if (flags == 0 || request.spent) {
      ++counters_.spurious;
      if (request.spent) return;
      request.multishot = true;  // g)
      if (request.in_kernel == 0) watches_.touch(slot, request.wanted);
      return;
    }
    request.spent = capabilities_.needs_rearm;
    const bool ended = capabilities_.trigger == Trigger::edge && request.in_kernel == 0 && row.result >= 0;
    const bool repeats = capabilities_.trigger == Trigger::level && flags != invalid;
    if (ended || repeats) watches_.touch(slot, request.wanted);
    watches_.place(out, count, {slot, request.generation, flags, row.result < 0 ? -row.result : 0});
  }

  /// What a row says of what is wanted.
  static std::uint32_t flags_of(const uring::Completion& row, const PollRequest& request) noexcept {
    if (row.result < 0) return row.result == -EBADF ? invalid : error;
    const std::uint32_t flags = flags_of_poll(static_cast<unsigned>(row.result));
    return (request.wanted & readable) != 0 ? flags : flags & ~static_cast<std::uint32_t>(read_closed);
  }

  void account() noexcept {
    counters_.change_calls = ring_.counters().enters - counters_.waits;
    counters_.submissions = ring_.counters().submissions;
  }

  const Capabilities capabilities_;
  PollRequests requests_;
  uring::Ring& ring_ = requests_.ring;
  Watches<PollRequest> watches_;
  std::vector<uring::Completion> held_;  // rows that came while forget() waited for others
};

std::unique_ptr<Backend> make(Counters& counters, int& error, Trigger trigger) {
  auto backend = std::make_unique<UringPoll>(counters, trigger);
  error = backend->open();
  if (error != 0) return nullptr;
  return backend;
}

}  // namespace

std::unique_ptr<Backend> make_uring_poll(Counters& counters, int& error) {
  return make(counters, error, Trigger::edge);
}
std::unique_ptr<Backend> make_uring_poll_level(Counters& counters, int& error) {
  return make(counters, error, Trigger::level);
}
std::unique_ptr<Backend> make_uring_poll_oneshot(Counters& counters, int& error) {
  return make(counters, error, Trigger::oneshot);
}

}  // namespace dispatch
#endif
