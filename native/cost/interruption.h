// Tells a measuring thread that it should stop, without a system call in every round.
#pragma once

#include "process/clock.h"
#include "servers/control.h"

namespace cost {

class Interruption {
 public:
  explicit Interruption(servers::Control& control) : control_(control) {}

  /// True once the control channel ended, `stop` was read or a signal came; looks every 20 ms of `now`.
  bool came(process::Nanoseconds now) {
    if (now - looked_ < 20 * process::kMillisecond) return false;
    looked_ = now;
    for (const int fd : control_.descriptors()) control_.on_readable(fd, [](std::string_view) {});
    return control_.stopping();
  }

 private:
  servers::Control& control_;
  process::Nanoseconds looked_ = process::monotonic_now();
};

}  // namespace cost
