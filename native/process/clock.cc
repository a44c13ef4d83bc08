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

Nanoseconds calibration_spin(std::uint32_t rounds) noexcept {
  const Nanoseconds start = monotonic_now();
  std::uint64_t x = 0x9e3779b97f4a7c15u;
  for (std::uint32_t i = 0; i < rounds; ++i) {  // xorshift: a chain the compiler cannot shorten
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  volatile std::uint64_t sink = x;
  (void)sink;
  return monotonic_now() - start;
}

}  // namespace process
