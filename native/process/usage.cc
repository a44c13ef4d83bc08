#include "process/usage.h"

#include <sys/resource.h>

#if defined(__linux__)
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#endif

namespace process {
namespace {

#if defined(__linux__)
std::int64_t resident_bytes(std::int64_t peak) noexcept {
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
#else
std::int64_t resident_bytes(std::int64_t peak) noexcept { return peak; }
#endif

#if defined(__APPLE__)
constexpr std::int64_t kMaxRssUnit = 1;
#else
constexpr std::int64_t kMaxRssUnit = 1024;
#endif

}  // namespace

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

}  // namespace process
