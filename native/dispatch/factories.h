// One factory per backend; each lives in its mechanism's file, which is empty on systems without that mechanism.
#pragma once

#include <ctime>

#include "dispatch/backend.h"

namespace dispatch {

std::unique_ptr<Backend> make_select(Counters& counters, int& error);
std::unique_ptr<Backend> make_select_posix(Counters& counters, int& error);
std::unique_ptr<Backend> make_poll(Counters& counters, int& error);
std::unique_ptr<Backend> make_epoll(Counters& counters, int& error);
std::unique_ptr<Backend> make_epoll_et(Counters& counters, int& error);
std::unique_ptr<Backend> make_epoll_oneshot(Counters& counters, int& error);
std::unique_ptr<Backend> make_epoll_batched(Counters& counters, int& error);
std::unique_ptr<Backend> make_epoll_batched_oneshot(Counters& counters, int& error);
std::unique_ptr<Backend> make_kqueue(Counters& counters, int& error);
std::unique_ptr<Backend> make_kqueue_clear(Counters& counters, int& error);
std::unique_ptr<Backend> make_evport(Counters& counters, int& error);
std::unique_ptr<Backend> make_devpoll(Counters& counters, int& error);
std::unique_ptr<Backend> make_wsapoll(Counters& counters, int& error);
std::unique_ptr<Backend> make_uring_poll(Counters& counters, int& error);
std::unique_ptr<Backend> make_uring_poll_level(Counters& counters, int& error);
std::unique_ptr<Backend> make_uring_poll_oneshot(Counters& counters, int& error);

/// The timeout as system calls with nanoseconds take it: null waits for ever.
inline const timespec* timespec_of(TimeoutNs timeout, timespec& storage) noexcept {
  if (timeout < 0) return nullptr;
  storage.tv_sec = static_cast<time_t>(timeout / 1'000'000'000);
  storage.tv_nsec = static_cast<long>(timeout % 1'000'000'000);
  return &storage;
}

/// The timeout as system calls with milliseconds take it, rounded up: a wait must not end early.
inline int milliseconds_of(TimeoutNs timeout) noexcept {
  constexpr TimeoutNs kMillisecond = 1'000'000;
  constexpr TimeoutNs kMost = 0x7fffffff;
  if (timeout < 0) return -1;
  const TimeoutNs milliseconds = timeout / kMillisecond + (timeout % kMillisecond != 0);
  return static_cast<int>(milliseconds < kMost ? milliseconds : kMost);
}

}  // namespace dispatch
