// /dev/poll of illumos and Solaris, poll(4D): a device that keeps a set of pollfds, and an ioctl that waits for them.
//
// a) What is written is added to the set, and bits of a descriptor that is there are added to those it has: to take one
//    away it is removed (POLLREMOVE) and written anew.
// b) Changes are collected and written, all at once, by the next wait. A write stops at an entry that it refuses: then
//    each is written alone, and those refused are rows.
// c) A descriptor has to leave the set before it is closed: forget() writes at once. One closed without it is flagged
//    POLLNVAL by every wait, or refused; it is reported once and removed.
// d) The set does not carry a word of ours: rows name the descriptor, and its registration is looked up.
// e) DP_POLL fills at most as many rows as there is room for, and goes on behind the last one with the next wait. Its
//    timeout is in milliseconds.
#if __has_include(<sys/devpoll.h>)
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "dispatch/factories.h"
#include "dispatch/poll_bits.h"
#include "dispatch/watches.h"
// The last, because the tests have a stand-in for the calls that reach the device.
#include <sys/devpoll.h>

namespace dispatch {
namespace {

class DevPoll final : public Backend {
 public:
  DevPoll(Counters& counters, int device) noexcept : Backend(counters), device_(device) {}
  ~DevPoll() override { ::close(device_); }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle fd, Token token, Interest old, Interest wanted) noexcept override {
    const auto at = static_cast<std::size_t>(fd);
    if (at >= slots_.size()) slots_.resize(std::max(at + 1, slots_.size() * 2), kNoSlot);
    slots_[at] = token.slot;
    watches_.want(fd, token, old, wanted);
    return 0;
  }

  void forget(Handle fd, Token token, Interest) noexcept override {
    Watch* watch = watches_.find(token.slot);
    if (watch == nullptr) return;
    watch->wanted = 0;
    std::erase_if(refused_, [token](const Event& row) { return row.slot == token.slot; });
    if (watch->in_kernel == 0) return;
    watch->in_kernel = 0;
    const pollfd removal = {.fd = fd, .events = POLLREMOVE, .revents = 0};
    tell(&removal, 1);
  }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    hand_over();
    std::uint32_t count = 0;
    for (; !refused_.empty() && count < out.size(); refused_.pop_back()) watches_.place(out, count, refused_.back());
    if (count == out.size()) return {.count = static_cast<int>(count), .saturated = true};

    const std::size_t room = out.size() - count;
    if (rows_.size() < room) rows_.resize(room);
    dvpoll request = {};
    request.dp_fds = rows_.data();
    request.dp_nfds = static_cast<nfds_t>(room);
    request.dp_timeout = count > 0 ? 0 : milliseconds_of(timeout);
    ++counters_.waits;
    const int rows = ::ioctl(device_, DP_POLL, &request);
    if (rows < 0 && count == 0) return {.interrupted = errno == EINTR, .error = errno == EINTR ? 0 : errno};
    for (int i = 0; i < rows; ++i) {
      const pollfd& row = rows_[static_cast<std::size_t>(i)];
      ++counters_.raw_events;
      const Slot slot = slots_[static_cast<std::size_t>(row.fd)];
      const std::uint32_t flags = flags_of_poll(static_cast<unsigned short>(row.revents));
      if ((flags & invalid) != 0) drop(slot);
      watches_.place(out, count, {slot, watches_[slot].generation, flags, 0});
    }
    return {.count = static_cast<int>(count), .saturated = count == out.size()};
  }

 private:
  bool tell(const pollfd* entries, std::size_t count) noexcept {
    ++counters_.change_calls;
    return ::write(device_, entries, count * sizeof(pollfd)) == static_cast<ssize_t>(count * sizeof(pollfd));
  }

  /// A descriptor closed without forget(): nothing is wanted of it any more.
  void drop(Slot slot) noexcept {
    Watch& watch = watches_[slot];
    watches_.touch(slot, watch.in_kernel);
    watch.wanted = 0;
  }

  void hand_over() noexcept {
    watches_.each_touched([this](Slot, Watch& watch) {
      const short bits = poll_bits(static_cast<Interest>(watch.wanted));
      if ((watch.in_kernel & ~watch.wanted) != 0) {
        entries_.push_back({.fd = watch.handle, .events = POLLREMOVE, .revents = 0});
        watch.in_kernel = 0;
      }
      if (watch.in_kernel != watch.wanted) entries_.push_back({.fd = watch.handle, .events = bits, .revents = 0});
      watch.in_kernel = watch.wanted;
    });
    if (!entries_.empty() && !tell(entries_.data(), entries_.size())) {
      for (const pollfd& entry : entries_) {
        if (tell(&entry, 1) || entry.events == POLLREMOVE) continue;
        const int code = errno;
        const Slot slot = slots_[static_cast<std::size_t>(entry.fd)];
        watches_[slot].in_kernel = 0;
        refused_.push_back({slot, watches_[slot].generation, code == EBADF ? invalid : error, code});
      }
    }
    entries_.clear();
  }

  const int device_;
  const Capabilities capabilities_ = {
      .trigger = Trigger::level,
      .wait_complexity = WaitComplexity::active,
      .timeout_resolution_ns = 1'000'000,
      .reports_read_closed = POLLRDHUP != 0,
      .batched_changes = true,
      .wait_call = "ioctl",
  };
  Watches<> watches_;
  std::vector<Slot> slots_;      // by descriptor
  std::vector<pollfd> entries_;  // being written
  std::vector<pollfd> rows_;
  std::vector<Event> refused_;
};

}  // namespace

std::unique_ptr<Backend> make_devpoll(Counters& counters, int& error) {
  const int device = ::open("/dev/poll", O_RDWR | O_CLOEXEC);
  if (device < 0) {
    error = errno;
    return nullptr;
  }
  return std::make_unique<DevPoll>(counters, device);
}

}  // namespace dispatch
#endif
