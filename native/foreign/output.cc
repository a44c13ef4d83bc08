#include "foreign/output.h"

#include <unistd.h>

#include <cerrno>

namespace foreign {

namespace {
constexpr std::size_t kKept = 8;
constexpr std::size_t kLongest = 4096;
constexpr std::size_t kLongestWords = 400;
constexpr std::string_view kTold = "{\"event\":\"";
}  // namespace

bool Output::take(int fd) {
  char bytes[4096];
  while (true) {
    const ssize_t n = read(fd, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0;
    if (write(STDERR_FILENO, bytes, static_cast<std::size_t>(n)) < 0) {}  // who does not listen misses it
    for (ssize_t i = 0; i < n; ++i) {
      if (bytes[i] != '\n') {
        if (line_.size() < kLongest) line_ += bytes[i];
        continue;
      }
      // A serial console ends its lines with both.
      if (line_.ends_with('\r')) line_.pop_back();
      if (!line_.empty()) take_line();
      line_.clear();
    }
  }
}

void Output::take_line() {
  if (line_.starts_with(kTold) && line_.size() < kLongest) {
    told_(line_);
    return;
  }
  lines_.push_back(line_.substr(0, kLongestWords));
  if (lines_.size() > kKept) lines_.pop_front();
}

std::string Output::last_words() const {
  std::string text;
  for (const std::string& line : lines_) text += (text.empty() ? "" : " | ") + line;
  if (!line_.empty()) text += (text.empty() ? "" : " | ") + line_;
  return text.empty() ? text : "; its last words: " + text;
}

}  // namespace foreign
