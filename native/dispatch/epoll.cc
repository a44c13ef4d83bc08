// epoll(7): the kernel keeps the interest list and a ready list; a wait costs what is ready.
//
// a) The set holds open file descriptions, not descriptors. Closing a duplicated descriptor leaves its entry behind and
//    reporting, with no way to remove it; so EPOLL_CTL_DEL is always issued before close, and rows carry a generation.
// b) EPOLLERR and EPOLLHUP come unasked. An entry of interest `none` is removed from the set.
// c) EPOLLRDHUP goes with read interest only: a half-closed peer would wake every wait of a writer for ever.
// d) A full result loses nothing and starves nobody: level-triggered entries go to the tail of the ready list.
// e) Edge-triggered: EPOLL_CTL_MOD reports a condition that already holds once more. New data repeats a read event
//    whether or not the earlier data was read; the same data does not.
// f) One-shot: after an event the entry stays, disarmed; EPOLL_CTL_MOD arms it (Poller::rearm).
// g) epoll_pwait2 (Linux 5.11) takes nanoseconds. Where it is missing (ENOSYS: older kernels, gVisor, seccomp filters),
//    epoll_pwait with milliseconds, rounded up, and capabilities() says so. It is called by number: glibc < 2.35 has no
//    wrapper.
// h) EPOLLEXCLUSIVE goes with ADD, EPOLLIN and EPOLLET alone: not with EPOLLRDHUP, EPOLLONESHOT or a later MOD.
// i) Regular files are refused with EPERM, where select and poll call them always ready.
#ifdef __linux__
#include <linux/time_types.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "dispatch/factories.h"

namespace dispatch {
namespace {

#ifdef SYS_epoll_pwait2
constexpr long kEpollPwait2 = SYS_epoll_pwait2;
#else
constexpr long kEpollPwait2 = 441;
#endif

/// struct epoll_params and EPIOCSPARAMS (Linux 6.9), which headers of the C library came to have later.
struct BusyPoll {
  std::uint32_t microseconds;
  std::uint16_t packets;
  std::uint8_t prefer;
  std::uint8_t pad;
};
constexpr unsigned long kSetBusyPoll = _IOW(0x8A, 0x01, BusyPoll);
/// The kernel's own choice where nobody asks, BUSY_POLL_BUDGET.
constexpr std::uint16_t kPacketsAtATime = 8;

int epoll_pwait2(int set, epoll_event* rows, int size, TimeoutNs timeout) noexcept {
  __kernel_timespec time = {.tv_sec = timeout / 1'000'000'000, .tv_nsec = timeout % 1'000'000'000};
  return static_cast<int>(::syscall(kEpollPwait2, set, rows, size, timeout < 0 ? nullptr : &time, nullptr, 0));
}

/// Asked once, of no set at all: EBADF where the call exists.
bool has_epoll_pwait2() noexcept {
  static const bool has = epoll_pwait2(-1, nullptr, 1, 0) == -1 && errno == EBADF;
  return has;
}

std::uint32_t bits_of(Interest wanted) noexcept {
  std::uint32_t bits = 0;
  if (wants_read(wanted)) bits |= EPOLLIN | EPOLLRDHUP;
  if (wants_write(wanted)) bits |= EPOLLOUT;
  return bits;
}

std::uint32_t flags_of(std::uint32_t events) noexcept {
  std::uint32_t flags = 0;
  if ((events & EPOLLIN) != 0) flags |= readable;
  if ((events & EPOLLOUT) != 0) flags |= writable;
  if ((events & ~(EPOLLIN | EPOLLOUT)) != 0) [[unlikely]] {
    if ((events & EPOLLERR) != 0) flags |= error;
    if ((events & EPOLLHUP) != 0) flags |= hangup;
    if ((events & EPOLLRDHUP) != 0) flags |= read_closed;
  }
  return flags;
}

class Epoll final : public Backend {
 public:
  Epoll(Counters& counters, int set, Trigger trigger) noexcept
      : Backend(counters),
        set_(set),
        nanoseconds_(has_epoll_pwait2()),
        trigger_bits_(trigger == Trigger::edge      ? static_cast<std::uint32_t>(EPOLLET)
                      : trigger == Trigger::oneshot ? static_cast<std::uint32_t>(EPOLLONESHOT)
                                                    : 0u),
        capabilities_{
            .trigger = trigger,
            .wait_complexity = WaitComplexity::active,
            .timeout_resolution_ns = nanoseconds_ ? 1 : 1'000'000,
            .needs_rearm = trigger == Trigger::oneshot,
            .reports_read_closed = true,
            .wait_call = nanoseconds_ ? "epoll_pwait2" : "epoll_pwait",
        } {}
  ~Epoll() override { ::close(set_); }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle fd, Token token, Interest old, Interest wanted) noexcept override {
    const int operation = wanted == Interest::none ? EPOLL_CTL_DEL
                          : old == Interest::none  ? EPOLL_CTL_ADD
                                                   : EPOLL_CTL_MOD;
    return control(operation, fd, token, bits_of(wanted) | trigger_bits_);
  }

  int watch_exclusively(Handle fd, Token token) noexcept override {
    if (capabilities_.needs_rearm) return ENOTSUP;
    return control(EPOLL_CTL_ADD, fd, token, EPOLLIN | EPOLLEXCLUSIVE | trigger_bits_);
  }

  int poll_busily(std::uint32_t microseconds) noexcept override {
    const BusyPoll asked = {.microseconds = microseconds, .packets = kPacketsAtATime, .prefer = 0, .pad = 0};
    return ::ioctl(set_, kSetBusyPoll, &asked) == 0 ? 0 : errno;
  }

  void forget(Handle fd, Token token, Interest old) noexcept override {
    // Fails only when the caller closed the descriptor first, and then there is nothing left to do.
    if (old != Interest::none) control(EPOLL_CTL_DEL, fd, token, 0);
  }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    if (rows_.size() < out.size()) rows_.resize(out.size());
    const int size = static_cast<int>(out.size());
    ++counters_.waits;
    const int count = nanoseconds_ ? epoll_pwait2(set_, rows_.data(), size, timeout)
                                   : ::epoll_pwait(set_, rows_.data(), size, milliseconds_of(timeout), nullptr);
    if (count < 0) return {.interrupted = errno == EINTR, .error = errno == EINTR ? 0 : errno};
    counters_.raw_events += static_cast<std::uint64_t>(count);
    for (int i = 0; i < count; ++i) {
      const epoll_event& row = rows_[static_cast<std::size_t>(i)];
      const std::uint64_t token = row.data.u64;
      out[static_cast<std::size_t>(i)] = {static_cast<std::uint32_t>(token), static_cast<std::uint32_t>(token >> 32),
                                          flags_of(row.events), 0};
    }
    return {.count = count, .saturated = count == size};
  }

 private:
  int control(int operation, int fd, Token token, std::uint32_t bits) noexcept {
    epoll_event event = {.events = bits,
                         .data = {.u64 = static_cast<std::uint64_t>(token.generation) << 32 | token.slot}};
    ++counters_.change_calls;
    return ::epoll_ctl(set_, operation, fd, &event) == 0 ? 0 : errno;
  }

  const int set_;
  const bool nanoseconds_;
  const std::uint32_t trigger_bits_;
  const Capabilities capabilities_;
  std::vector<epoll_event> rows_;
};

std::unique_ptr<Backend> make(Counters& counters, int& error, Trigger trigger) {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) {
    error = errno;
    return nullptr;
  }
  return std::make_unique<Epoll>(counters, set, trigger);
}

}  // namespace

std::unique_ptr<Backend> make_epoll(Counters& counters, int& error) { return make(counters, error, Trigger::level); }
std::unique_ptr<Backend> make_epoll_et(Counters& counters, int& error) { return make(counters, error, Trigger::edge); }
std::unique_ptr<Backend> make_epoll_oneshot(Counters& counters, int& error) {
  return make(counters, error, Trigger::oneshot);
}

}  // namespace dispatch
#endif
