// What a whole process tree has used and holds: sums that a single process's getrusage cannot give.
//
// a) CPU time comes from a control group where one can be made: it keeps the time of what has ended, whoever waited for
//    it. Else it is summed over the tree: each process's own time and that of the children it has waited for, in clock
//    ticks. Then the time of children that nobody waits for (SIGCHLD ignored) is lost, which `accounting` lets one know.
// b) Memory is what the processes have resident now; shared pages count once per process there, and once in all in pss.
// c) Context switches are kept by threads and die with them, so they are known only while none has ended.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "foreign/cgroup.h"
#include "foreign/descendants.h"
#include "foreign/fork_count.h"
#include "foreign/options.h"

namespace foreign {

struct TreeFigures {
  std::int64_t monotonic_ns = 0;
  std::int64_t user_us = 0;      ///< since the start
  std::int64_t system_us = 0;
  std::optional<Switches> switches;
  std::int64_t rss_bytes = 0;
  std::int64_t peak_rss_bytes = 0;  ///< at least: the largest sum seen, or what a single process has had
  std::uint64_t processes_now = 0;
  std::optional<std::uint64_t> processes_started;
  std::optional<std::int64_t> pss_bytes;
  std::optional<std::int64_t> peak_bytes;  ///< of the control group: page cache and kernel memory included
};

class Accounts {
 public:
  /// Makes the control groups that `wanted` allows, and this system and user can.
  /// `group`: a control group whose members belong to the tree, whoever started them; empty: none.
  Accounts(Accounting wanted, const std::string& group);

  /// What there is; never `any`. Other than what was wanted where that cannot be had.
  Accounting source() const noexcept;
  /// What the command has to join, and who removes it when the tree is gone.
  std::vector<Cgroup> groups() const;
  ForkCount& forks() noexcept { return forks_; }

  /// The tree below `root`, a subreaper.
  TreeFigures take(pid_t root);

 private:
  void take_cpu(TreeFigures& figures, pid_t root, const std::vector<Process>& tree);
  /// Whole CPU time is what the scheduler counted; user and system are samples at clock ticks, which miss what runs between
  /// two of them beside others. They say in what shares the whole is to be split, as the kernel does it for a process
  /// (cputime_adjust); neither part ever falls.
  void split(TreeFigures& figures, std::int64_t total_us, std::int64_t user_us, std::int64_t system_us);
  void take_memory(TreeFigures& figures, const std::vector<Process>& tree);

  ForkCount forks_;
  std::optional<Cgroup> unified_;
  std::optional<Cgroup> cpuacct_;
  std::optional<Cgroup> memory_;
  std::optional<Cgroup> beside_;  ///< of the tree as well, whoever started what is in it
  std::int64_t user_us_ = 0;
  std::int64_t system_us_ = 0;
  std::int64_t peak_rss_bytes_ = 0;
};

}  // namespace foreign
