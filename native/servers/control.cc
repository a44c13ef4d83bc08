#include "servers/control.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "process/signals.h"

namespace servers {
namespace {

constexpr std::size_t kMaxLine = 1024;

// stdin may share its open file with the parent, so it is not made non-blocking; it is asked instead.
bool readable_now(int fd) noexcept {
  pollfd one{fd, POLLIN, 0};
  return poll(&one, 1, 0) > 0;
}

}  // namespace

int Control::open(bool use_stdin) noexcept {
  signal(SIGPIPE, SIG_IGN);
  const int signals = process::signal_pipe({SIGTERM, SIGINT});
  if (signals < 0) return -signals;
  descriptors_ = {signals};
  if (use_stdin) descriptors_.push_back(STDIN_FILENO);
  return 0;
}

void Control::on_readable(int fd, const std::function<void(std::string_view id)>& snapshot) {
  while (!stopping() && readable_now(fd)) {
    char bytes[1024];
    const ssize_t n = read(fd, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (fd == descriptors_[0]) {
      reason_ = "signal";
      return;
    }
    if (n <= 0) {
      reason_ = "end-of-control";
      return;
    }
    for (const char c : std::string_view(bytes, static_cast<std::size_t>(n))) {
      if (c == '\n') {
        take_line(line_, snapshot);
        line_.clear();
      } else if (line_.size() < kMaxLine) {
        line_ += c;
      }
    }
  }
}

void Control::take_line(std::string_view line, const std::function<void(std::string_view id)>& snapshot) {
  constexpr std::string_view verb = "snapshot ";
  if (line == "stop") {
    reason_ = "stop";
  } else if (line.starts_with(verb)) {
    snapshot(line.substr(verb.size()));
  }
}

}  // namespace servers
