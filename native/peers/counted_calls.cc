#include "peers/counted_calls.h"

#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

namespace {

std::uint64_t waits = 0;
std::uint64_t changes = 0;
bool turning = false;

/// The function of that name behind ours.
template <class Function>
Function* real(const char* name) noexcept {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

namespace peers {

cost::Effort calls_so_far() noexcept { return {waits, changes, std::nullopt}; }

Turn::Turn() noexcept { turning = true; }
Turn::~Turn() { turning = false; }

}  // namespace peers

// Found before those of the C library, because symbols of a program come first.
#define FRONT(name) \
  __attribute__((visibility("default"))) decltype(::name) name; \
  const auto real_##name = real<decltype(::name)>(#name);

extern "C" {

FRONT(epoll_wait)
FRONT(epoll_pwait)
FRONT(epoll_ctl)
FRONT(poll)
FRONT(select)

int epoll_wait(int set, epoll_event* rows, int size, int timeout) {
  waits += turning;
  return real_epoll_wait(set, rows, size, timeout);
}
int epoll_pwait(int set, epoll_event* rows, int size, int timeout, const sigset_t* mask) {
  waits += turning;
  return real_epoll_pwait(set, rows, size, timeout, mask);
}
int epoll_ctl(int set, int operation, int fd, epoll_event* row) noexcept {
  ++changes;
  return real_epoll_ctl(set, operation, fd, row);
}
int poll(pollfd* rows, nfds_t size, int timeout) {
  waits += turning;
  return real_poll(rows, size, timeout);
}
int select(int limit, fd_set* reads, fd_set* writes, fd_set* errors, timeval* timeout) {
  waits += turning;
  return real_select(limit, reads, writes, errors, timeout);
}

}  // extern "C"
