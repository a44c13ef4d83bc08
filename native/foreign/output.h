// What the command prints goes on to our stderr, and its last lines are kept to explain how it ended.
#pragma once

#include <deque>
#include <string>

namespace foreign {

class Output {
 public:
  /// Takes what there is in `fd`, which does not block. False when nothing more will come.
  bool take(int fd);
  /// The last lines in one, behind a semicolon; empty when there were none.
  std::string last_words() const;

 private:
  std::deque<std::string> lines_;
  std::string line_;
};

}  // namespace foreign
