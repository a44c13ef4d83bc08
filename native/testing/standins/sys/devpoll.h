// What native/dispatch/devpoll.cc needs of <sys/devpoll.h>, for the stand-in in native/testing/devpoll.cc: written from
// illumos' poll(4D). The calls that reach the device go to the stand-in instead.
#pragma once

#include <poll.h>

#include <cstddef>

struct dvpoll {
  pollfd* dp_fds;
  nfds_t dp_nfds;
  int dp_timeout;  // milliseconds
};

inline constexpr int DP_POLL = 0xd001;

int devpoll_open(const char* path, int flags) noexcept;
long devpoll_write(int device, const void* entries, std::size_t bytes) noexcept;
int devpoll_ioctl(int device, int request, dvpoll* argument) noexcept;

#define open(path, flags) devpoll_open(path, flags)
#define write(device, entries, bytes) devpoll_write(device, entries, bytes)
#define ioctl(device, request, argument) devpoll_ioctl(device, request, argument)
