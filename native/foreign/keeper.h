// Starts somebody else's command, and makes sure that none of its processes outlives us, however we end.
//
// The command is not our child but that of a keeper, a small process between: all that the command starts stays below
// the keeper, which is a subreaper, also what forks twice to get away. The keeper blocks on a pipe whose other end is
// ours alone. When that closes, because we closed it or because we were killed, it ends everything below it and then
// itself. Should the keeper itself be killed, its orphans become ours, because we are a subreaper too.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "foreign/cgroup.h"

namespace foreign {

struct Order {
  std::vector<std::string> command;
  std::vector<int> cpus;       ///< empty: wherever the system lets it run
  std::vector<Cgroup> groups;  ///< joined by the command, removed after the last process
  std::uint64_t grace_ms = 0;  ///< between SIGTERM and SIGKILL
};

class Keeper {
 public:
  Keeper() = default;
  /// Ends everything and waits for it.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// Forks the keeper; the command is not run yet. One sentence on what failed.
  std::string start(const Order& order);
  /// Has the command run; returns when it is on its way. One sentence on what failed.
  std::string run_command();

  /// The root of the tree; not a part of it.
  pid_t pid() const noexcept { return pid_; }
  pid_t command() const noexcept { return command_; }
  /// Turns readable when there is news.
  int news() const noexcept { return news_; }
  /// What the command writes to stdout and stderr.
  int output() const noexcept { return output_; }

  /// Takes what there is of news, without blocking.
  void take_news();
  /// Status as wait(2) gives it, once the process that was started has ended; others may go on.
  std::optional<int> command_status() const noexcept { return status_; }
  /// No process of the tree is left.
  bool gone() const noexcept { return gone_; }

  /// Asks for the end of all; gone() tells when it has come.
  void end() noexcept;

 private:
  void all_gone() noexcept;

  Order order_;
  pid_t pid_ = -1;
  pid_t command_ = -1;
  int lifeline_ = -1;
  int news_ = -1;
  int output_ = -1;
  std::optional<int> status_;
  bool gone_ = false;
};

}  // namespace foreign
