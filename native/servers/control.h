// How a server is told what to do: termination signals, and lines on stdin when --control was given. Both are
// descriptors that the server watches with the same mechanism as its sockets, because its thread blocks there.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace servers {

class Control {
 public:
  /// Opens the signal pipe (SIGTERM, SIGINT) and takes over stdin if asked. Returns 0 or an errno.
  int open(bool use_stdin) noexcept;

  /// Descriptors to watch for reading.
  const std::vector<int>& descriptors() const noexcept { return descriptors_; }
  bool owns(int fd) const noexcept { return fd == descriptors_[0] || fd == descriptors_.back(); }

  /// Reads what there is. Calls `snapshot(id)` for every snapshot asked for.
  void on_readable(int fd, const std::function<void(std::string_view id)>& snapshot);

  bool stopping() const noexcept { return !reason_.empty(); }
  /// Why: "signal", "stop" or "end-of-control"; empty while it runs.
  std::string_view reason() const noexcept { return reason_; }

 private:
  void take_line(std::string_view line, const std::function<void(std::string_view id)>& snapshot);

  std::vector<int> descriptors_;
  std::string line_;
  std::string_view reason_;
};

}  // namespace servers
