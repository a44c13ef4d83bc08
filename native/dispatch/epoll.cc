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
#include <sys/ioctl.h>

#include "dispatch/epoll_set.h"

namespace dispatch {
namespace {

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

class Epoll final : public Backend {
 public:
  Epoll(Counters& counters, Trigger trigger) noexcept
      : Backend(counters),
        trigger_bits_(EpollSet::bits_of(trigger)),
        capabilities_(EpollSet::capabilities(trigger, false)) {}

  int open() noexcept { return set_.open(); }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle fd, Token token, Interest old, Interest wanted) noexcept override {
    const int operation = wanted == Interest::none ? EPOLL_CTL_DEL
                          : old == Interest::none  ? EPOLL_CTL_ADD
                                                   : EPOLL_CTL_MOD;
    return control(operation, fd, token, EpollSet::bits_of(wanted) | trigger_bits_);
  }

  int watch_exclusively(Handle fd, Token token) noexcept override {
    if (capabilities_.needs_rearm) return ENOTSUP;
    return control(EPOLL_CTL_ADD, fd, token, EPOLLIN | EPOLLEXCLUSIVE | trigger_bits_);
  }

  int poll_busily(std::uint32_t microseconds) noexcept override {
    const BusyPoll asked = {.microseconds = microseconds, .packets = kPacketsAtATime, .prefer = 0, .pad = 0};
    return ::ioctl(set_.descriptor(), kSetBusyPoll, &asked) == 0 ? 0 : errno;
  }

  void forget(Handle fd, Token token, Interest old) noexcept override {
    // Fails only when the caller closed the descriptor first, and then there is nothing left to do.
    if (old != Interest::none) control(EPOLL_CTL_DEL, fd, token, 0);
  }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    return set_.wait(out, timeout, counters_);
  }

 private:
  int control(int operation, int fd, Token token, std::uint32_t bits) noexcept {
    ++counters_.change_calls;
    return set_.control(operation, fd, token, bits);
  }

  EpollSet set_;
  const std::uint32_t trigger_bits_;
  const Capabilities capabilities_;
};

std::unique_ptr<Backend> make(Counters& counters, int& error, Trigger trigger) {
  auto backend = std::make_unique<Epoll>(counters, trigger);
  error = backend->open();
  if (error != 0) return nullptr;
  return backend;
}

}  // namespace

std::unique_ptr<Backend> make_epoll(Counters& counters, int& error) { return make(counters, error, Trigger::level); }
std::unique_ptr<Backend> make_epoll_et(Counters& counters, int& error) { return make(counters, error, Trigger::edge); }
std::unique_ptr<Backend> make_epoll_oneshot(Counters& counters, int& error) {
  return make(counters, error, Trigger::oneshot);
}

}  // namespace dispatch
#endif
