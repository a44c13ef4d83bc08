// Which codec and level a link deserves. A pass over memory takes as long as the slower of two: the workers that compress, or
// the link that carries what is left. A few blocks tell how fast each rung compresses and what it leaves, the pass itself how
// fast the link is; the rung with the shortest pass is taken, and looked for again as the link is measured anew.
#pragma once

#include <cstdint>
#include <vector>

#include "migrate/source.h"
#include "process/clock.h"

namespace migrate {

class Ladder {
 public:
  /// Tries every rung on a few blocks of `memory`.
  void climb(std::span<const std::byte> memory, unsigned workers);

  Choice choice() const noexcept { return rungs_[at_].choice; }
  /// `bytes` of the link were used up to `now`, when it was asked for more than it took (`full`) or had nothing to carry.
  void measured(std::uint64_t bytes, bool full, process::Nanoseconds now);
  /// Bytes a second; 0 as long as it had to carry less than it could.
  double link_rate() const noexcept { return link_; }

 private:
  struct Rung {
    Choice choice;
    double seconds = 0;  ///< of CPU, for a byte of memory
    double left = 1;     ///< bytes of the wire for a byte of memory
  };
  void choose() noexcept;

  std::vector<Rung> rungs_{{}};
  std::size_t at_ = 0;
  unsigned workers_ = 1;
  double link_ = 0;
  std::uint64_t bytes_ = 0;
  process::Nanoseconds since_ = 0;
  bool filled_ = false;
};

}  // namespace migrate
