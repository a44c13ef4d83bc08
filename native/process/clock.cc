#include "process/clock.h"

#include <limits>

namespace process {

Nanoseconds clock_step(int readings) noexcept {
  Nanoseconds smallest = std::numeric_limits<Nanoseconds>::max();
  for (int i = 0; i < readings; ++i) {
    const Nanoseconds start = monotonic_now();
    Nanoseconds now = start;
    while (now == start) now = monotonic_now();
    if (now - start < smallest) smallest = now - start;
  }
  return smallest;
}

}  // namespace process
