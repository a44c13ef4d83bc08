// A set of epoll(7) and its system calls, for the backends that wait on one; what the mechanism does is said in epoll.cc.
#pragma once

#ifdef __linux__
#include <linux/time_types.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "dispatch/factories.h"

namespace dispatch {

class EpollSet {
 public:
  EpollSet() = default;
  ~EpollSet() {
    if (set_ >= 0) ::close(set_);
  }
  EpollSet(const EpollSet&) = delete;
  EpollSet& operator=(const EpollSet&) = delete;

  /// Returns 0 or an errno.
  int open() noexcept {
    set_ = ::epoll_create1(EPOLL_CLOEXEC);
    return set_ < 0 ? errno : 0;
  }
  int descriptor() const noexcept { return set_; }

  /// What a set is told of each registration beside its interest.
  static constexpr std::uint32_t bits_of(Trigger trigger) noexcept {
    return trigger == Trigger::edge      ? static_cast<std::uint32_t>(EPOLLET)
           : trigger == Trigger::oneshot ? static_cast<std::uint32_t>(EPOLLONESHOT)
                                         : 0u;
  }
  static constexpr std::uint32_t bits_of(Interest wanted) noexcept {
    std::uint32_t bits = 0;
    if (wants_read(wanted)) bits |= EPOLLIN | EPOLLRDHUP;
    if (wants_write(wanted)) bits |= EPOLLOUT;
    return bits;
  }
  static epoll_event event_of(Token token, std::uint32_t bits) noexcept {
    return {.events = bits, .data = {.u64 = static_cast<std::uint64_t>(token.generation) << 32 | token.slot}};
  }
  static Capabilities capabilities(Trigger trigger, bool batched) noexcept {
    return {
        .trigger = trigger,
        .wait_complexity = WaitComplexity::active,
        .timeout_resolution_ns = has_epoll_pwait2() ? 1 : 1'000'000,
        .needs_rearm = trigger == Trigger::oneshot,
        .reports_read_closed = true,
        .batched_changes = batched,
        .wait_call = has_epoll_pwait2() ? "epoll_pwait2" : "epoll_pwait",
    };
  }

  /// One epoll_ctl. Returns 0 or an errno.
  int control(int operation, int fd, Token token, std::uint32_t bits) noexcept {
    epoll_event event = event_of(token, bits);
    return ::epoll_ctl(set_, operation, fd, &event) == 0 ? 0 : errno;
  }

  /// One wait, of which rows are written to `out`. Counts it, and what the kernel reported.
  WaitResult wait(std::span<Event> out, TimeoutNs timeout, Counters& counters) noexcept {
    if (rows_.size() < out.size()) rows_.resize(out.size());
    const int size = static_cast<int>(out.size());
    ++counters.waits;
    const int count = nanoseconds_ ? epoll_pwait2(set_, rows_.data(), size, timeout)
                                   : ::epoll_pwait(set_, rows_.data(), size, milliseconds_of(timeout), nullptr);
    if (count < 0) return {.interrupted = errno == EINTR, .error = errno == EINTR ? 0 : errno};
    counters.raw_events += static_cast<std::uint64_t>(count);
    for (int i = 0; i < count; ++i) {
      const epoll_event& row = rows_[static_cast<std::size_t>(i)];
      const std::uint64_t token = row.data.u64;
      out[static_cast<std::size_t>(i)] = {static_cast<std::uint32_t>(token), static_cast<std::uint32_t>(token >> 32),
                                          flags_of(row.events), 0};
    }
    return {.count = count, .saturated = count == size};
  }

 private:
#ifdef SYS_epoll_pwait2
  static constexpr long kEpollPwait2 = SYS_epoll_pwait2;
#else
  static constexpr long kEpollPwait2 = 441;
#endif

  static int epoll_pwait2(int set, epoll_event* rows, int size, TimeoutNs timeout) noexcept {
    __kernel_timespec time = {.tv_sec = timeout / 1'000'000'000, .tv_nsec = timeout % 1'000'000'000};
    return static_cast<int>(::syscall(kEpollPwait2, set, rows, size, timeout < 0 ? nullptr : &time, nullptr, 0));
  }

  /// Asked once, of no set at all: EBADF where the call exists.
  static bool has_epoll_pwait2() noexcept {
    static const bool has = epoll_pwait2(-1, nullptr, 1, 0) == -1 && errno == EBADF;
    return has;
  }

  static std::uint32_t flags_of(std::uint32_t events) noexcept {
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

  int set_ = -1;
  const bool nanoseconds_ = has_epoll_pwait2();
  std::vector<epoll_event> rows_;
};

}  // namespace dispatch
#endif
