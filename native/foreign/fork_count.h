// How many processes a tree has started, short-lived ones included: the kernel's process events connector tells of every
// fork and exit on the machine. It answers in the initial user and PID namespaces only, before Linux 6.6 only to root.
// Nothing else counts the forks of a tree: pids.current and /proc show who is there now.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <unordered_set>

namespace foreign {

class ForkCount {
 public:
  /// Starts to listen; where that is not allowed, processes() stays unknown.
  ForkCount();
  ~ForkCount();
  ForkCount(const ForkCount&) = delete;
  ForkCount& operator=(const ForkCount&) = delete;

  /// To be watched for reading; -1 when there is nothing to hear.
  int descriptor() const noexcept { return fd_; }
  /// What `root` and its descendants start is counted.
  void follow(pid_t root) { tree_.insert(root); }
  /// Takes what there is to hear; to be called before the figures are read, because a fork is told before it returns.
  void take();

  /// Processes started since follow(); unknown as well once events were lost.
  std::optional<std::uint64_t> processes() const noexcept {
    return known_ ? std::optional(processes_) : std::nullopt;
  }
  /// No thread or process of the tree has ended yet; false also when unknown.
  bool none_ended() const noexcept { return known_ && !ended_; }

 private:
  bool subscribe() noexcept;
  void take_event(const void* event);

  int fd_ = -1;
  bool known_ = false;
  bool ended_ = false;
  std::uint64_t processes_ = 0;
  std::unordered_set<pid_t> tree_;
};

}  // namespace foreign
