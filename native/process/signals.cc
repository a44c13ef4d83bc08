#include "process/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

namespace process {
namespace {

int signal_ends[2] = {-1, -1};

void on_signal(int number) {
  const int saved = errno;
  const char byte = static_cast<char>(number);
  // A full pipe already says that a signal came.
  if (write(signal_ends[1], &byte, 1) < 0) {}
  errno = saved;
}

}  // namespace

int signal_pipe(const std::vector<int>& signals) noexcept {
  if (signal_ends[0] < 0) {
    if (pipe(signal_ends) != 0) return -errno;
    for (const int fd : signal_ends) {
      fcntl(fd, F_SETFL, O_NONBLOCK);
      fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }
  for (const int number : signals) {
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    if (sigaction(number, &action, nullptr) != 0) return -errno;
  }
  return signal_ends[0];
}

}  // namespace process
