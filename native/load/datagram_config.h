// What a datagram benchmark is asked, and what it found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "load/clock.h"
#include "load/datagram_ledger.h"
#include "load/datagram_order.h"
#include "load/histogram.h"
#include "load/pacer.h"
#include "net/udp_socket.h"

namespace load {

struct DatagramConfig {
  net::Address target;            ///< address and first port
  net::Address local;             ///< address to send from, port 0
  std::uint32_t ports = 1;         ///< consecutive ports from target.port() on
  std::uint32_t sockets = 1;       ///< client sockets, at least one per worker
  std::uint32_t workers = 1;       ///< threads
  std::uint32_t window = 1;        ///< closed loop: unanswered datagrams per socket, at most what its buffer holds
  bool open_loop = false;
  double rate = 0;                 ///< open loop: datagrams per second, all workers together
  Arrival arrival = Arrival::fixed;
  PortOrder order = PortOrder::round_robin;
  std::uint64_t seed = 1;
  std::uint64_t amount = 0;        ///< stop after so many datagrams; 0 = by duration only
  Nanoseconds duration = 10 * kSecond;
  Nanoseconds timeout = kSecond;   ///< a reply later than this is late; also how long the drain waits
  Nanoseconds interval = kSecond;  ///< length of one element of the series
  std::size_t size = 64;           ///< bytes of a datagram, header included
  std::vector<std::uint8_t> body;  ///< repeated to fill what follows the header
  bool echo = true;                ///< false: datagrams are `body` alone and replies must equal `expected`
  std::vector<std::uint8_t> expected;
  int receive_buffer = 0;          ///< bytes, 0 = the system's default
  int send_buffer = 0;
  bool leave_out_late = false;     ///< late replies are counted but not in the latencies
  std::uint64_t bailout = 0;       ///< stop when so many replies were wrong or refused; 0 = never
  bool log_replies = false;        ///< keep (flow, latency) of replies for take_replies()
};

/// Per-flow figures at the end.
struct FlowSummary {
  std::uint16_t port = 0;
  std::uint32_t socket = 0;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  double latency_sum_ns = 0;     ///< from the intended send time
  Nanoseconds latency_max = 0;
  double jitter_ns = 0;          ///< RFC 3550, section 6.4.1, over round trips
};

/// One interval of the run, all workers together.
struct DatagramInterval {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t bytes_in = 0;
  Nanoseconds p50 = 0;           ///< of the replies of the interval, from the intended send time
  Nanoseconds p99 = 0;
  Nanoseconds max = 0;
  double mean = 0;
};

/// Counts while it runs.
struct DatagramProgress {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t wrong = 0;       ///< corrupted, truncated, foreign and unreachable
};

/// One reply, for those who want to see each.
struct DatagramReply {
  std::uint32_t flow = 0;
  Nanoseconds latency = 0;       ///< from the intended send time
};

struct DatagramOutcome {
  DatagramCounts counts;
  std::uint64_t offered = 0;       ///< datagrams the schedule asked for
  std::uint64_t send_errors = 0;   ///< datagrams the kernel refused; they are not sent
  std::uint64_t send_stalls = 0;   ///< times a full send buffer made a datagram wait
  std::uint64_t timeouts = 0;      ///< closed loop: datagrams given up after the timeout
  std::uint64_t bytes_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t send_calls = 0;    ///< system calls that sent
  std::uint64_t receive_calls = 0;
  Nanoseconds started = 0;         ///< monotonic
  Nanoseconds sending_ended = 0;
  Nanoseconds finished = 0;
  Nanoseconds cpu = 0;             ///< CPU time of the workers while sending
  Nanoseconds spin = 0;            ///< of it, spent looking without sleeping
  double busiest_share = 0;        ///< largest share of a worker's time spent busy, spinning left out
  Pacer::Resolution pacer;         ///< worst of the workers
  Histogram latency;               ///< from the intended send time
  Histogram uncorrected;           ///< from the actual send time
  Histogram lag;                   ///< actual minus intended send time
  std::vector<DatagramInterval> series;
  std::vector<FlowSummary> flows;
  std::int64_t client_drops = -1;  ///< replies the kernel dropped at the client's sockets; -1: unknown
  std::string poller;              ///< backend that the client waits on
  int error = 0;                   ///< errno that ended the run early, 0 = none
  std::string failed;              ///< what failed then
};

}  // namespace load
