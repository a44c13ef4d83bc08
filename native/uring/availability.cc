#include "uring/availability.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#ifdef __linux__
#include <sys/resource.h>

#include "uring/ring.h"
#endif

namespace uring {

#ifdef __linux__
namespace {

// The first number in a file of /proc, in the line that begins with `key`; -1 when there is none.
int number_in(const char* path, const char* key) {
  std::FILE* const file = std::fopen(path, "re");
  if (file == nullptr) return -1;
  char line[256];
  int number = -1;
  const std::size_t length = std::strlen(key);
  while (number < 0 && std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, key, length) == 0 && std::sscanf(line + length, "%d", &number) != 1) number = -1;
  }
  std::fclose(file);
  return number;
}

}  // namespace

Circumstances circumstances() {
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  return {
      .disabled = number_in("/proc/sys/kernel/io_uring_disabled", ""),
      .filtered = number_in("/proc/self/status", "Seccomp:") > 0,
      .lockable = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : std::uint64_t{limit.rlim_cur},
  };
}

Absence probe() {
  Ring ring;
  const int error = ring.open({.submissions = 8});
  if (error == 0) return {};
  return {error, why_not(error, circumstances())};
}
#else
Circumstances circumstances() { return {}; }
Absence probe() { return {ENOSYS, "io_uring exists on Linux only"}; }
#endif

std::string why_not(int error, const Circumstances& here) {
  const std::string filter = "a system-call filter (seccomp), as containers have, refuses io_uring";
  switch (error) {
    case 0:
      return "";
    case ENOSYS:
      return here.filtered ? filter + ", or this kernel has none that is new enough (Linux 5.11)"
                           : "this kernel has no io_uring, or none that is new enough (Linux 5.11)";
    case EPERM:
    case EACCES:
      if (here.disabled == 2) return "io_uring is switched off on this machine: sysctl kernel.io_uring_disabled is 2";
      if (here.disabled == 1) {
        return "io_uring is for privileged processes and the group of kernel.io_uring_group only: "
               "sysctl kernel.io_uring_disabled is 1";
      }
      return here.filtered ? filter : "a security policy of this machine refuses io_uring";
    case ENOMEM:
      if (here.lockable == UINT64_MAX) return "the kernel has no memory for a ring";
      return "a ring may not have its memory: " + std::to_string(here.lockable / 1024) +
             " KiB may be locked here (raise the limit: ulimit -l)";
    case EMFILE:
      return "no descriptor is left for a ring (raise the limit: ulimit -n)";
    case EINVAL:
      return "this kernel's io_uring lacks what is needed";
    default:
      return std::strerror(error);
  }
}

}  // namespace uring
