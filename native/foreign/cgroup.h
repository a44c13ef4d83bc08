// A control group of our own, for what cannot be had from the processes themselves: what those used that have ended
// already, and the most memory all held at once. cgroups(7).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace foreign {

class Cgroup {
 public:
  /// Makes a group below this process's own one: in the unified hierarchy where `controller` is empty, else in the
  /// version 1 hierarchy with that controller. Nothing where this system or user cannot, or a process may not join it.
  static std::optional<Cgroup> make(std::string_view controller, const std::string& name);

  /// A group that may be there, by its path in the hierarchy; what it holds is asked when it is asked for.
  static std::optional<Cgroup> at(std::string_view controller, const std::string& path);

  /// Processes in it and in the groups below it.
  std::vector<pid_t> members() const;
  /// A number that is all of a file of the group.
  std::optional<std::int64_t> number(const std::string& file) const;
  /// A number behind a key of a file of the group.
  std::optional<std::int64_t> number(const std::string& file, std::string_view key) const;

  /// Takes the calling process into the group; safe between fork and exec. False with errno set.
  bool join() const noexcept;
  /// Kills everything in it at once where the kernel can (version 2, Linux 5.14).
  void kill_all() const noexcept;
  /// Removes the group; it must be empty, and what has just ended may take a moment to leave it.
  void remove() const noexcept;

 private:
  explicit Cgroup(std::string folder)
      : folder_(std::move(folder)), members_(folder_ + "/cgroup.procs"), kill_(folder_ + "/cgroup.kill") {}

  std::string folder_;
  std::string members_;  // whole paths beforehand: between fork and exec nothing is put together
  std::string kill_;
};

}  // namespace foreign
