// What a server counts about its own work; plain numbers, written by one thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace servers {

struct Statistics {
  std::uint64_t requests = 0;   ///< HTTP: answered requests; echo: reads that brought bytes; UDP: datagrams answered
  std::uint64_t accepted = 0;
  std::uint64_t empty_accepts = 0;  ///< events of the listener that brought no connection: another worker had it
  std::uint64_t closed = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t rejected = 0;   ///< bad requests, and connections or senders turned away
  std::uint64_t unsent = 0;     ///< UDP: replies that the kernel did not take
  std::uint64_t sockets = 0;    ///< UDP: sockets bound; TCP: 0
  /// Element i counts waits that brought [2^(i-1), 2^i) events, element 0 those that brought none.
  std::array<std::uint64_t, 17> events_per_wait{};

  std::uint64_t connections() const noexcept { return sockets + accepted - closed; }
  /// Sums of several workers.
  Statistics& operator+=(const Statistics& more) noexcept {
    requests += more.requests;
    accepted += more.accepted;
    empty_accepts += more.empty_accepts;
    closed += more.closed;
    bytes_in += more.bytes_in;
    bytes_out += more.bytes_out;
    rejected += more.rejected;
    unsent += more.unsent;
    sockets += more.sockets;
    for (std::size_t i = 0; i < events_per_wait.size(); ++i) events_per_wait[i] += more.events_per_wait[i];
    return *this;
  }
  void count_wait(int events) noexcept {
    const auto bucket = static_cast<std::size_t>(std::bit_width(static_cast<unsigned>(events)));
    ++events_per_wait[bucket < events_per_wait.size() ? bucket : events_per_wait.size() - 1];
  }
};

/// Room of one recv, bytes.
inline constexpr std::size_t kReceiveWindow = 65536;

/// Fairness budgets: policy, the same in every implementation, recorded in hello.
struct Budgets {
  std::uint32_t accept = 128;         ///< connections per event of the listener
  std::uint32_t reads = 4;            ///< recv calls of at most kReceiveWindow bytes per event of a connection
  std::uint32_t datagrams = 32;       ///< datagrams per event of a UDP socket
  std::uint32_t max_events = 1024;    ///< rows of one wait
};

}  // namespace servers
