// A program that the starter runs: its pipes, its lines, and its end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bare/line_splitter.h"
#include "process/clock.h"

namespace bare {

class Program {
 public:
  /// Starts it in a session of its own. What cannot be started has ended at once, and says why.
  Program(std::int64_t id, const std::string& command, const std::vector<std::string>& args);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::int64_t id() const noexcept { return id_; }
  pid_t pid() const noexcept { return pid_; }

  /// Descriptors to watch, -1 where there is none any more: its stdin while something waits for it, stdout, stderr.
  int wants_writing() const noexcept { return waiting_.empty() ? -1 : in_; }
  int out() const noexcept { return out_; }
  int err() const noexcept { return err_; }

  /// A line for its stdin. One that has ended ignores it.
  void send(std::string_view line);
  void write_waiting();
  void read_out();
  void read_err();

  /// Closes its stdin, which ends it by contract; signals follow, each `grace_ms` after the one before.
  void end(std::int64_t grace_ms);
  /// Sends the signal that is due. Returns nanoseconds until the next one is, -1 when none will be.
  process::Nanoseconds insist(process::Nanoseconds now);

  /// Asks whether the process has ended.
  void reap();
  /// How it ended, once nothing more of it will come; empty while it runs.
  std::string ending() const;

 private:
  std::string start(const std::string& command, const std::vector<std::string>& args);

  std::int64_t id_;
  pid_t pid_ = 0;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::string waiting_;
  LineSplitter out_lines_;
  LineSplitter err_lines_;
  bool ending_ = false;
  int signals_sent_ = 0;
  process::Nanoseconds grace_ = 0;
  process::Nanoseconds next_signal_ = 0;
  std::string how_;
};

}  // namespace bare
