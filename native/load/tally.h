// What a load thread writes down: only what belongs to the measured window, by the time a request was intended.
#pragma once

#include <cstdint>

#include "load/clock.h"
#include "load/errors.h"
#include "load/histogram.h"

namespace load {

/// Sums that are read at both ends of the window; the window's figure is the difference.
struct Meter {
  Nanoseconds cpu = 0;   ///< of the load thread, user and system
  Nanoseconds spin = 0;  ///< of the pacer
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

struct Tally {
  Nanoseconds window_start = INT64_MAX;
  Nanoseconds window_end = INT64_MAX;
  Meter at_start, at_end;
  std::uint64_t requests = 0;    ///< due (open loop) or sent (closed loop) in the window
  std::uint64_t replies = 0;     ///< arrived in the window
  std::uint64_t reconnects = 0;
  std::uint64_t backlogged = 0;  ///< open loop: waited for a free connection
  ErrorCounts errors{};
  Histogram latency;      ///< from the intended time
  Histogram uncorrected;  ///< from the time of sending; empty in closed loop, where it is the same
  Histogram send_lag;
  Histogram connect;
  /// Send lag of requests that found a free connection, by halves of the window: a growing one is the client's fault.
  double lag_sum[2] = {0, 0};
  std::uint64_t lag_count[2] = {0, 0};

  bool covers(Nanoseconds time) const noexcept { return time >= window_start && time < window_end; }
  void error(ErrorKind kind) noexcept { ++errors[static_cast<std::size_t>(kind)]; }
};

}  // namespace load
