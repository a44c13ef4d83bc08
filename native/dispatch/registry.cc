// The list of backends: the only place that knows which system has which mechanism.
#include "dispatch/registry.h"

#ifndef _WIN32
#include <sys/utsname.h>
#endif

#include <cerrno>
#include <cstring>
#include <thread>

#include "dispatch/factories.h"
#include "uring/availability.h"

namespace dispatch {
namespace {

#ifdef __linux__
constexpr BackendFactory kEpoll = make_epoll, kEpollEt = make_epoll_et, kEpollOneshot = make_epoll_oneshot;
constexpr BackendFactory kEpollBatched = make_epoll_batched, kEpollBatchedOneshot = make_epoll_batched_oneshot;
constexpr BackendFactory kUring = make_uring_poll, kUringLevel = make_uring_poll_level,
                         kUringOneshot = make_uring_poll_oneshot;
#else
constexpr BackendFactory kEpoll = nullptr, kEpollEt = nullptr, kEpollOneshot = nullptr;
constexpr BackendFactory kEpollBatched = nullptr, kEpollBatchedOneshot = nullptr;
constexpr BackendFactory kUring = nullptr, kUringLevel = nullptr, kUringOneshot = nullptr;
#endif
#if __has_include(<sys/event.h>)
constexpr BackendFactory kKqueue = make_kqueue, kKqueueClear = make_kqueue_clear;
#else
constexpr BackendFactory kKqueue = nullptr, kKqueueClear = nullptr;
#endif
#if __has_include(<port.h>)
constexpr BackendFactory kEventPorts = make_evport;
#else
constexpr BackendFactory kEventPorts = nullptr;
#endif
#if __has_include(<sys/devpoll.h>)
constexpr BackendFactory kDevPoll = make_devpoll;
#else
constexpr BackendFactory kDevPoll = nullptr;
#endif
#ifdef _WIN32
constexpr BackendFactory kSelectPosix = nullptr, kPoll = nullptr, kWsaPoll = make_wsapoll;
constexpr const char* kElsewhere = "wsapoll";
#else
constexpr BackendFactory kSelectPosix = make_select_posix, kPoll = make_poll, kWsaPoll = nullptr;
constexpr const char* kElsewhere = "poll";
#endif

constexpr const char* kOnlyLinux = "epoll exists on Linux only";
constexpr const char* kUringOnlyLinux = "io_uring exists on Linux only";
constexpr const char* kOnlyBsd = "kqueue exists on the BSDs and macOS only";

std::string reason_of_uring(int error) { return uring::why_not(error, uring::circumstances()); }

constexpr BackendEntry kBackends[] = {
    {"select", "select", Trigger::level, make_select, nullptr},
    {"select-posix", "select", Trigger::level, kSelectPosix, "select of Windows has no such limit"},
    {"poll", "poll", Trigger::level, kPoll, "Windows has WSAPoll instead"},
    {"epoll", "epoll", Trigger::level, kEpoll, kOnlyLinux},
    {"epoll-et", "epoll", Trigger::edge, kEpollEt, kOnlyLinux},
    {"epoll-oneshot", "epoll", Trigger::oneshot, kEpollOneshot, kOnlyLinux},
    {"epoll-batched", "epoll", Trigger::level, kEpollBatched, kOnlyLinux, reason_of_uring, true},
    {"epoll-batched-oneshot", "epoll", Trigger::oneshot, kEpollBatchedOneshot, kOnlyLinux, reason_of_uring, true},
    {"kqueue", "kqueue", Trigger::level, kKqueue, kOnlyBsd},
    {"kqueue-clear", "kqueue", Trigger::edge, kKqueueClear, kOnlyBsd},
    {"evport", "event ports", Trigger::oneshot, kEventPorts, "event ports exist on illumos and Solaris only"},
    {"devpoll", "/dev/poll", Trigger::level, kDevPoll, "/dev/poll exists on illumos and Solaris only"},
    {"wsapoll", "WSAPoll", Trigger::level, kWsaPoll, "WSAPoll exists on Windows only"},
    {"uring-poll", "io_uring", Trigger::edge, kUring, kUringOnlyLinux, reason_of_uring, true},
    {"uring-poll-level", "io_uring", Trigger::level, kUringLevel, kUringOnlyLinux, reason_of_uring, true},
    {"uring-poll-oneshot", "io_uring", Trigger::oneshot, kUringOneshot, kUringOnlyLinux, reason_of_uring, true},
};

struct Own {
  std::string_view system;
  std::string_view backend;
};
constexpr Own kOwn[] = {
    {"Linux", "epoll"},    {"FreeBSD", "kqueue"},   {"NetBSD", "kqueue"}, {"OpenBSD", "kqueue"},
    {"Darwin", "kqueue"},  {"DragonFly", "kqueue"}, {"SunOS", "evport"},
};

}  // namespace

std::unique_ptr<Backend> create_backend(const BackendEntry& entry, Counters& counters, Probe& probe) {
  if (entry.make == nullptr) {
    probe = {.error = ENOSYS, .reason = entry.absent_because};
    return nullptr;
  }
  int error = 0;
  auto backend = entry.make(counters, error);
  if (backend == nullptr) {
    probe = {.error = error, .reason = entry.reason_of != nullptr ? entry.reason_of(error) : std::strerror(error)};
  } else {
    probe = {.available = true, .capabilities = backend->capabilities()};
  }
  return backend;
}

std::span<const BackendEntry> backends() noexcept { return kBackends; }

const BackendEntry* find_backend(std::string_view name) noexcept {
  for (const BackendEntry& entry : kBackends) {
    if (name == entry.name) return &entry;
  }
  return nullptr;
}

const BackendEntry& own_backend(std::string_view system) noexcept {
  for (const Own& own : kOwn) {
    if (own.system == system) return *find_backend(own.backend);
  }
  return *find_backend("poll");
}

const BackendEntry& client_backend() noexcept {
#ifndef _WIN32
  utsname name{};
  ::uname(&name);
  const BackendEntry& own = own_backend(name.sysname);
  if (own.make != nullptr) return own;
#endif
  return *find_backend(kElsewhere);
}

Probe probe(const BackendEntry& entry) {
  Probe result;
  const auto try_once = [&] {
    Counters counters;
    create_backend(entry, counters, result);
  };
  if (entry.probed_apart && entry.make != nullptr) {
    std::thread(try_once).join();
  } else {
    try_once();
  }
  return result;
}

}  // namespace dispatch
