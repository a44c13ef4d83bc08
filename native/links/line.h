// One direction of an emulated link: when a packet that came in is to go out, if at all. Knows no clock and no device:
// times are handed in, so that a test can hand in any.
//
// Order of things, as in netem: a packet is lost by chance, or finds the line full, or is held. It leaves the far end when
// it has travelled (`delay`) and the one before it has left, plus the time that its bytes take at the rate. Delay before
// rate or rate before delay makes no difference to when it arrives.
#pragma once

#include <cstdint>
#include <deque>
#include <random>

#include "load/histogram.h"
#include "process/clock.h"

namespace links {

using process::Nanoseconds;

struct Shape {
  Nanoseconds delay = 0;
  std::uint64_t loss_ppb = 0;         ///< chance of a packet to be lost, in parts of a billion
  std::uint64_t bits_per_second = 0;  ///< 0: as fast as they come
  std::uint64_t limit = 1000;         ///< packets held at one time, those that travel included
};

struct Totals {
  std::uint64_t packets = 0;  ///< offered, whatever became of them
  std::uint64_t bytes = 0;    ///< of them: IP header and all behind it
  std::uint64_t lost = 0;     ///< by chance
  std::uint64_t overflowed = 0;
  std::uint64_t passed = 0;
  std::uint64_t passed_bytes = 0;
};

enum class Fate : std::uint8_t { held, lost, overflowed };

class Line {
 public:
  /// Where the owner keeps a packet's bytes.
  using Slot = std::uint32_t;

  /// @param seed of the losses
  Line(const Shape& shape, std::uint64_t seed) : shape_(shape), random_(seed) {}

  /// A packet of `size` bytes came in. The slot is the line's when it is held.
  Fate take(Nanoseconds now, std::uint32_t size, Slot slot);

  bool empty() const noexcept { return held_.empty(); }
  /// Of the first packet; there has to be one.
  Nanoseconds due() const noexcept { return held_.front().due; }
  Slot slot() const noexcept { return held_.front().slot; }
  std::uint32_t size() const noexcept { return held_.front().size; }

  /// The first packet leaves at `now`, or `refused` by what should have taken it.
  void release(Nanoseconds now, bool refused = false);

  /// Packets that were dropped for want of room before they came here.
  void missed(std::uint64_t packets) noexcept;

  const Totals& totals() const noexcept { return totals_; }
  /// By how much packets left later than they should have; never negative.
  const load::Histogram& lateness() const noexcept { return lateness_; }
  double mean_lateness() const noexcept;

  /// Counts from here on; what is held stays.
  void restart();

  /// What comes from here on finds this shape; what is held leaves as it was to, and the rate begins behind it.
  void change(const Shape& shape) noexcept;

 private:
  struct Held {
    Nanoseconds due;
    std::uint32_t size;
    Slot slot;
  };

  bool falls_out() noexcept;
  Nanoseconds transmission(std::uint32_t size) noexcept;

  Shape shape_;
  std::mt19937_64 random_;
  std::deque<Held> held_;
  Nanoseconds last_due_ = 0;
  std::uint64_t rest_ = 0;  // of the last division by the rate, so that no fraction of a nanosecond gets lost
  Totals totals_;
  load::Histogram lateness_;
  Nanoseconds late_ = 0;
};

}  // namespace links
