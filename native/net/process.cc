#include "net/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <limits>

#if defined(__linux__)
#include <dirent.h>
#include <sched.h>
#endif

#ifndef DISPATCHBENCH_FLAGS
#define DISPATCHBENCH_FLAGS "not recorded by this build"
#endif

namespace net {

std::int64_t monotonic_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::int64_t clock_step_ns(int readings) noexcept {
  std::int64_t smallest = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < readings; ++i) {
    const std::int64_t start = monotonic_ns();
    std::int64_t now = start;
    while (now == start) now = monotonic_ns();
    if (now - start < smallest) smallest = now - start;
  }
  return smallest;
}

std::int64_t calibration_spin_ns(std::uint32_t rounds) noexcept {
  const std::int64_t start = monotonic_ns();
  std::uint64_t x = 0x9e3779b97f4a7c15u;
  for (std::uint32_t i = 0; i < rounds; ++i) {  // xorshift: a chain the compiler cannot shorten
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  volatile std::uint64_t sink = x;
  (void)sink;
  return monotonic_ns() - start;
}

#if defined(__linux__)
int set_affinity(const std::vector<int>& cpus) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
    CPU_SET(static_cast<unsigned>(cpu), &set);
  }
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return errno;
  int error = 0;
  while (const dirent* entry = readdir(tasks)) {
    const int thread = std::atoi(entry->d_name);
    // A thread may end between the listing and the call: ESRCH is no failure.
    if (thread > 0 && sched_setaffinity(thread, sizeof set, &set) != 0 && errno != ESRCH) error = errno;
  }
  closedir(tasks);
  return error;
}

std::vector<int> affinity() {
  cpu_set_t set;
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

static std::int64_t resident_bytes(std::int64_t peak) noexcept {
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  char text[128] = "";
  if (fd < 0) return peak;
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  long size = 0;
  long resident = 0;
  if (n <= 0 || std::sscanf(text, "%ld %ld", &size, &resident) != 2) return peak;
  return static_cast<std::int64_t>(resident) * sysconf(_SC_PAGESIZE);
}
constexpr std::int64_t kMaxRssUnit = 1024;
#else
int set_affinity(const std::vector<int>&) noexcept { return ENOSYS; }
std::vector<int> affinity() { return {}; }
static std::int64_t resident_bytes(std::int64_t peak) noexcept { return peak; }
#if defined(__APPLE__)
constexpr std::int64_t kMaxRssUnit = 1;
#else
constexpr std::int64_t kMaxRssUnit = 1024;
#endif
#endif

Usage usage() noexcept {
  rusage r{};
  getrusage(RUSAGE_SELF, &r);
  const auto microseconds = [](const timeval& t) { return static_cast<std::int64_t>(t.tv_sec) * 1'000'000 + t.tv_usec; };
  Usage u;
  u.user_us = microseconds(r.ru_utime);
  u.system_us = microseconds(r.ru_stime);
  u.voluntary_switches = r.ru_nvcsw;
  u.involuntary_switches = r.ru_nivcsw;
  u.peak_rss_bytes = r.ru_maxrss * kMaxRssUnit;
  u.rss_bytes = resident_bytes(u.peak_rss_bytes);
  return u;
}

DescriptorLimit descriptor_limit() noexcept {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return {static_cast<std::uint64_t>(limit.rlim_cur), static_cast<std::uint64_t>(limit.rlim_max)};
}

void raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // a system that refuses keeps its soft limit; hello reports what holds
}

namespace {
int signal_ends[2] = {-1, -1};

void on_signal(int number) {
  const int saved = errno;
  const char byte = static_cast<char>(number);
  // A full pipe already says that a signal came.
  if (write(signal_ends[1], &byte, 1) < 0) {}
  errno = saved;
}
}  // namespace

int signal_pipe(const std::vector<int>& signals) noexcept {
  if (signal_ends[0] < 0) {
    if (pipe(signal_ends) != 0) return -errno;
    for (const int fd : signal_ends) {
      fcntl(fd, F_SETFL, O_NONBLOCK);
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }
  for (const int number : signals) {
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    if (sigaction(number, &action, nullptr) != 0) return -errno;
  }
  return signal_ends[0];
}

std::string kernel_release() {
  utsname name{};
  uname(&name);
  return std::string(name.sysname) + " " + name.release;
}

const char* compiler() noexcept {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

const char* compiler_flags() noexcept { return DISPATCHBENCH_FLAGS; }

}  // namespace net
