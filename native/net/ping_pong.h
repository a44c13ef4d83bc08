// A message sent to and fro between two CPUs over loopback: the piece of work that is most like what is measured here.
#pragma once

#include <cstdint>

namespace net {

struct PingPong {
  int error = 0;             ///< an errno: no loopback, no descriptors, no such CPU; the figures are then 0
  double round_trip_ns = 0;  ///< the median round trip
  double cpu_ns = 0;         ///< CPU time of both threads for one round trip, on average
};

/// `rounds` messages over one TCP connection, each answered before the next: a thread on each of the two CPUs, blocking.
PingPong ping_pong(std::uint32_t rounds, int cpu, int partner);

}  // namespace net
