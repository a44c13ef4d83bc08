// System calls that keep the frame pointer, preloaded (LD_PRELOAD) into Node.js servers while perf profiles them.
//
// In a process with several threads, which Node.js always is, glibc's calls that are cancellation points use the
// frame pointer's register for something else while they are in the kernel. perf then finds no caller, and the
// kernel's time hangs in the graph without the JavaScript and the addon that asked for it. These forward to the same
// system calls, leave cancellation out (nothing here cancels threads) and keep a frame. Measured trials never load it.
#ifdef __linux__
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>

namespace {

/** Bytes of the kernel's signal set, which is smaller than glibc's. */
constexpr std::size_t kernel_sigset_size = _NSIG / 8;

/** Flags of several messages, as the C library declares them: glibc, and musl. */
#ifdef __GLIBC__
using Flags = int;
#else
using Flags = unsigned int;
#endif

/** Not a tail call of the caller's: the empty statement needs the result, so the caller's frame stays on the stack. */
template <typename Result, typename... Arguments>
[[gnu::always_inline]] inline Result forward(long number, Arguments... arguments) {
  long result = ::syscall(number, arguments...);
  asm volatile("" : "+r"(result));
  return static_cast<Result>(result);
}

}  // namespace

#define FRAMED(result, name, parameters) extern "C" [[gnu::visibility("default")]] result name parameters

FRAMED(ssize_t, read, (int fd, void* data, size_t size)) { return forward<ssize_t>(SYS_read, fd, data, size); }
FRAMED(ssize_t, write, (int fd, const void* data, size_t size)) { return forward<ssize_t>(SYS_write, fd, data, size); }
FRAMED(ssize_t, readv, (int fd, const iovec* list, int count)) { return forward<ssize_t>(SYS_readv, fd, list, count); }
FRAMED(ssize_t, writev, (int fd, const iovec* list, int count)) {
  return forward<ssize_t>(SYS_writev, fd, list, count);
}

FRAMED(ssize_t, recv, (int fd, void* data, size_t size, int flags)) {
  return forward<ssize_t>(SYS_recvfrom, fd, data, size, flags, nullptr, nullptr);
}
FRAMED(ssize_t, recvfrom, (int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* length)) {
  return forward<ssize_t>(SYS_recvfrom, fd, data, size, flags, from, length);
}
FRAMED(ssize_t, recvmsg, (int fd, msghdr* message, int flags)) {
  return forward<ssize_t>(SYS_recvmsg, fd, message, flags);
}
FRAMED(int, recvmmsg, (int fd, mmsghdr* list, unsigned int count, Flags flags, timespec* timeout)) {
  return forward<int>(SYS_recvmmsg, fd, list, count, flags, timeout);
}
FRAMED(ssize_t, send, (int fd, const void* data, size_t size, int flags)) {
  return forward<ssize_t>(SYS_sendto, fd, data, size, flags, nullptr, 0);
}
FRAMED(ssize_t, sendto, (int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t length)) {
  return forward<ssize_t>(SYS_sendto, fd, data, size, flags, to, length);
}
FRAMED(ssize_t, sendmsg, (int fd, const msghdr* message, int flags)) {
  return forward<ssize_t>(SYS_sendmsg, fd, message, flags);
}
FRAMED(int, sendmmsg, (int fd, mmsghdr* list, unsigned int count, Flags flags)) {
  return forward<int>(SYS_sendmmsg, fd, list, count, flags);
}
FRAMED(int, accept4, (int fd, sockaddr* from, socklen_t* length, int flags)) {
  return forward<int>(SYS_accept4, fd, from, length, flags);
}

FRAMED(int, epoll_pwait, (int fd, epoll_event* events, int count, int timeout_ms, const sigset_t* mask)) {
  return forward<int>(SYS_epoll_pwait, fd, events, count, timeout_ms, mask, kernel_sigset_size);
}

// The kernel writes the remaining time back; callers of ppoll and pselect are promised that nobody does.
FRAMED(int, ppoll, (pollfd* list, nfds_t count, const timespec* timeout, const sigset_t* mask)) {
  timespec copy = timeout ? *timeout : timespec{};
  return forward<int>(SYS_ppoll, list, count, timeout ? &copy : nullptr, mask, kernel_sigset_size);
}
FRAMED(int, pselect,
       (int limit, fd_set* reads, fd_set* writes, fd_set* errors, const timespec* timeout, const sigset_t* mask)) {
  timespec copy = timeout ? *timeout : timespec{};
  const struct {
    const sigset_t* mask;
    std::size_t size;
  } signals{mask, kernel_sigset_size};
  return forward<int>(SYS_pselect6, limit, reads, writes, errors, timeout ? &copy : nullptr, &signals);
}
#endif
