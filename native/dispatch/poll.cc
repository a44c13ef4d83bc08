// poll(2), ppoll(2): one array of descriptors, copied to the kernel and walked by it on every wait.
//
// a) The array is dense: a removal moves the last entry into the hole, so add and remove are O(1).
// b) The kernel reports POLLERR, POLLHUP and POLLNVAL unasked. An entry of interest `none` would therefore wake every
//    wait; it is taken out of the array instead.
// c) The result is the number of entries with revents set; the scan stops after that many.
// d) The kernel answers all entries at once, whatever fits in the caller's result array: after a full result the next
//    scan starts where the last one stopped, so that no entry starves.
// e) A descriptor closed without forget() is flagged POLLNVAL on every wait, for ever; it is reported once and dropped.
// f) The array may not be longer than RLIMIT_NOFILE (EINVAL). Linux copies and returns it in chunks, without a limit
//    of its own. macOS has no ppoll: milliseconds there. NetBSD and OpenBSD wait in ticks; see ticks.h.
#include <cerrno>
#include <vector>

#include "dispatch/factories.h"
#include "dispatch/poll_bits.h"
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
    const auto at = static_cast<std::size_t>(fd);
    if (wanted == Interest::none) {
      remove(fd);
      return 0;
    }
    if (at >= position_.size()) position_.resize(at + 1, kAbsent);
    if (position_[at] == kAbsent) {
      position_[at] = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back({.fd = fd, .events = 0, .revents = 0});
      tokens_.push_back(token);
    }
    entries_[position_[at]].events = poll_bits(wanted);
    return 0;
  }

  void forget(Handle fd, Token, Interest) noexcept override { remove(fd); }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    ++counters_.waits;
    const int ready = call(timeout);
    if (ready < 0) return {.interrupted = errno == EINTR, .error = errno == EINTR ? 0 : errno};
    counters_.raw_events += static_cast<std::uint64_t>(ready);

    const std::size_t size = entries_.size();
    std::size_t at = start_ < size ? start_ : 0;
    std::size_t count = 0;
    for (int left = ready; left > 0 && count < out.size(); at = at + 1 < size ? at + 1 : 0) {
      const auto revents = static_cast<unsigned short>(entries_[at].revents);
      if (revents == 0) continue;
      --left;
      if ((revents & POLLNVAL) != 0) [[unlikely]]
        invalid_.push_back(entries_[at].fd);
      out[count++] = {tokens_[at].slot, tokens_[at].generation, flags_of_poll(revents), 0};
    }
    const bool saturated = count == out.size();
    start_ = saturated ? at : 0;
    for (const int fd : invalid_) remove(fd);
    invalid_.clear();
    return {.count = static_cast<int>(count), .saturated = saturated};
  }

 private:
  static constexpr std::uint32_t kAbsent = ~0u;

  int call(TimeoutNs timeout) noexcept {
#ifdef __APPLE__
    return ::poll(entries_.data(), static_cast<nfds_t>(entries_.size()), milliseconds_of(timeout));
#else
    timespec storage;
    return ::ppoll(entries_.data(), static_cast<nfds_t>(entries_.size()), timespec_of(timeout, storage), nullptr);
#endif
  }

  void remove(int fd) noexcept {
    const auto at = static_cast<std::size_t>(fd);
    if (at >= position_.size() || position_[at] == kAbsent) return;
    const std::uint32_t hole = position_[at];
    position_[static_cast<std::size_t>(entries_.back().fd)] = hole;
    entries_[hole] = entries_.back();
    tokens_[hole] = tokens_.back();
    entries_.pop_back();
    tokens_.pop_back();
    position_[at] = kAbsent;
  }

  const Capabilities capabilities_ = {
      .trigger = Trigger::level,
      .wait_complexity = WaitComplexity::registered,
      .timeout_resolution_ns = resolution_ns(kNanoseconds ? 1 : 1'000'000),
      .reports_read_closed = POLLRDHUP != 0,
      .wait_call = kNanoseconds ? "ppoll" : "poll",
  };
  std::vector<pollfd> entries_;
  std::vector<Token> tokens_;            // of the entry at the same place
  std::vector<std::uint32_t> position_;  // of a descriptor in entries_
  std::vector<int> invalid_;             // descriptors to drop after the scan
  std::size_t start_ = 0;
};

}  // namespace

std::unique_ptr<Backend> make_poll(Counters& counters, int&) { return std::make_unique<Poll>(counters); }

}  // namespace dispatch
