// poll(2), ppoll(2): one array of descriptors, copied to the kernel and walked by it on every wait.
//
// a) The array is dense (poll_array.h): a removal moves the last entry into the hole, so add and remove are O(1).
// b) The kernel reports POLLERR, POLLHUP and POLLNVAL unasked. An entry of interest `none` would therefore wake every
//    wait; it is taken out of the array instead.
// c) The result is the number of entries with revents set; the scan stops after that many.
// d) The kernel answers all entries at once, whatever fits in the caller's result array: after a full result the next
//    scan starts where the last one stopped, so that no entry starves.
// e) A descriptor closed without forget() is flagged POLLNVAL on every wait, for ever; it is reported once and dropped.
// f) The array may not be longer than RLIMIT_NOFILE (EINVAL). Linux copies and returns it in chunks, without a limit
//    of its own. macOS has no ppoll: milliseconds there. NetBSD and OpenBSD wait in ticks; see ticks.h.
#ifndef _WIN32
#include <cerrno>

#include "dispatch/factories.h"
#include "dispatch/poll_array.h"
#include "dispatch/ticks.h"

namespace dispatch {
namespace {

#ifdef __APPLE__
constexpr bool kNanoseconds = false;
#else
constexpr bool kNanoseconds = true;
#endif

class Poll final : public Backend {
 public:
  explicit Poll(Counters& counters) noexcept : Backend(counters) {}

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle fd, Token token, Interest, Interest wanted) noexcept override {
    array_.set(fd, token, wanted);
    return 0;
  }

  void forget(Handle, Token token, Interest) noexcept override { array_.remove(token.slot); }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    ++counters_.waits;
    const int ready = call(timeout);
    if (ready < 0) return {.interrupted = errno == EINTR, .error = errno == EINTR ? 0 : errno};
    counters_.raw_events += static_cast<std::uint64_t>(ready);
    const std::size_t count = array_.collect(out, ready);
    return {.count = static_cast<int>(count), .saturated = count == out.size()};
  }

 private:
  int call(TimeoutNs timeout) noexcept {
    const std::span<pollfd> entries = array_.entries();
#ifdef __APPLE__
    return ::poll(entries.data(), static_cast<nfds_t>(entries.size()), milliseconds_of(timeout));
#else
    timespec storage;
    return ::ppoll(entries.data(), static_cast<nfds_t>(entries.size()), timespec_of(timeout, storage), nullptr);
#endif
  }

  const Capabilities capabilities_ = {
      .trigger = Trigger::level,
      .wait_complexity = WaitComplexity::registered,
      .timeout_resolution_ns = resolution_ns(kNanoseconds ? 1 : 1'000'000),
      .reports_read_closed = POLLRDHUP != 0,
      .wait_call = kNanoseconds ? "ppoll" : "poll",
  };
  PollArray<pollfd> array_;
};

}  // namespace

std::unique_ptr<Backend> make_poll(Counters& counters, int&) { return std::make_unique<Poll>(counters); }

}  // namespace dispatch
#endif
