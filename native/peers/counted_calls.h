// System calls of somebody else's loop, counted: the functions of the C library that a library calls are put in front of it
// by this program, count, and go on to the real ones.
#pragma once

#include <cstdint>

#include "cost/waiter.h"

namespace peers {

/// Waits and changes of interest since the start.
cost::Effort calls_so_far() noexcept;

/// While one stands, a library's loop turns: what the program itself asks for at other times is no wait of the loop.
class Turn {
 public:
  Turn() noexcept;
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

}  // namespace peers
