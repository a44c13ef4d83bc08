// What the command prints goes on to our stderr, and its last lines are kept to explain how it ended. A line that is a
// JSON object with an `event` is told to whoever reads our stdout, as a line of ours that has its text.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace foreign {

class Output {
 public:
  /// `told`: called with each line that is told on.
  explicit Output(std::function<void(std::string_view)> told) : told_(std::move(told)) {}

  /// Takes what there is in `fd`, which does not block. False when nothing more will come.
  bool take(int fd);
  /// The last lines in one, behind a semicolon; empty when there were none.
  std::string last_words() const;

 private:
  void take_line();

  std::function<void(std::string_view)> told_;
  std::deque<std::string> lines_;
  std::string line_;
};

}  // namespace foreign
