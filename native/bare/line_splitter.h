// Cuts what comes from a descriptor into lines.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

namespace bare {

class LineSplitter {
 public:
  /// Lines longer than `longest` bytes are handed over in pieces of that length.
  explicit LineSplitter(std::size_t longest) : longest_(longest) {}

  /// Reads once and calls line(std::string_view) for every line that is whole by now. False: there will be no more.
  template <class Line>
  bool read_from(int fd, Line line) {
    char bytes[65536];
    const ssize_t n = ::read(fd, bytes, sizeof bytes);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) {
      if (!pending_.empty()) line(std::string_view(pending_));
      pending_.clear();
      return false;
    }
    for (const char c : std::string_view(bytes, static_cast<std::size_t>(n))) {
      if (c != '\n') pending_ += c;
      if (c == '\n' || pending_.size() >= longest_) {
        line(std::string_view(pending_));
        pending_.clear();
      }
    }
    return true;
  }

 private:
  std::size_t longest_;
  std::string pending_;
};

}  // namespace bare
