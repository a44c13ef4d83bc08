// Why io_uring cannot be had here, in one sentence for a person.
#pragma once

#include <cstdint>
#include <string>

namespace uring {

/// What decides whether a process may have a ring, as far as it can be read.
struct Circumstances {
  int disabled = 0;            ///< /proc/sys/kernel/io_uring_disabled (Linux 6.6): 0 all may, 1 the group, 2 nobody; -1 not there
  bool filtered = false;       ///< a system-call filter (seccomp) is in force
  std::uint64_t lockable = 0;  ///< RLIMIT_MEMLOCK in bytes; UINT64_MAX: no limit
};
Circumstances circumstances();

/// `error`: what opening a ring, or an operation on it, failed with.
std::string why_not(int error, const Circumstances& here);

struct Absence {
  int error = 0;       ///< errno; 0: io_uring is available
  std::string reason;  ///< empty when it is
};
/// Really opens a small ring and closes it again.
Absence probe();

}  // namespace uring
