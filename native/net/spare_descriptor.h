// One descriptor kept in reserve. When a process has none left, accept fails but the connection stays in the queue and a
// level-triggered listener would report it for ever. Giving up the reserve lets it be accepted and closed at once.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "net/socket.h"

namespace net {

class SpareDescriptor {
 public:
  SpareDescriptor() noexcept { reserve(); }
  ~SpareDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  SpareDescriptor(const SpareDescriptor&) = delete;
  SpareDescriptor& operator=(const SpareDescriptor&) = delete;

  /// Takes one waiting connection off the listener and closes it. False when none could be taken.
  bool turn_away_one(int listener) noexcept {
    if (fd_ < 0) reserve();
    if (fd_ < 0) return false;
    close(fd_);
    const int fd = accept_connection(listener);
    if (fd >= 0) close(fd);
    reserve();
    return fd >= 0;
  }

 private:
  void reserve() noexcept { fd_ = open("/dev/null", O_RDONLY | O_CLOEXEC); }
  int fd_ = -1;
};

}  // namespace net
