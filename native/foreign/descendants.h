// The processes below one, as /proc shows them. A process whose parent ended belongs to the nearest subreaper above it
// (prctl(2), PR_SET_CHILD_SUBREAPER), so that below a subreaper nobody is lost.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace foreign {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  bool ended = false;             ///< a zombie: it only waits to be waited for
  std::int64_t user_us = 0;       ///< its own
  std::int64_t system_us = 0;
  std::int64_t waited_user_us = 0;    ///< of children it has waited for, and theirs
  std::int64_t waited_system_us = 0;
  std::int64_t rss_bytes = 0;
};

/// Everything below `root`, which is not in it. One pass over /proc: what is born or moves meanwhile may be missing.
std::vector<Process> descendants(pid_t root);

/// One process; nothing when it is gone.
std::optional<Process> process_of(pid_t pid);

/// Largest resident size it has had, bytes; 0 when it is gone.
std::int64_t peak_rss_bytes(pid_t pid);

/// Its share of the memory it has resident (proportional set size), bytes; nothing where the system does not tell, 0 when
/// the process is gone.
std::optional<std::int64_t> pss_bytes(pid_t pid);

struct Switches {
  std::int64_t voluntary = 0;
  std::int64_t involuntary = 0;
};
/// Context switches of the threads it has now.
Switches context_switches(pid_t pid);

}  // namespace foreign
