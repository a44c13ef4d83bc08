// httperf's workload on our own engine: connections are started by a schedule that waits for nobody (open loop), each
// makes a number of calls one after the other, then closes. Failures are counted by httperf's kinds.
//
// A call's response time runs from just before its request is sent to the first byte of its reply, its transfer time
// from there to the last byte. A connection that gets no connect, or no whole reply, within `timeout` is given up as a
// client timeout; the calls it still had are not made. The same holds when the server closes it after a reply.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "load/exchange.h"
#include "load/histogram.h"
#include "load/pacer.h"
#include "load/worker.h"
#include "net/socket.h"

namespace load {

struct SessionPlan {
  std::string backend;  ///< of the engine's own poller
  net::Address target;
  std::string host, path;  ///< of the requests
  double rate = 1;         ///< connections started per second
  Arrival arrival = Arrival::fixed;
  std::uint64_t seed = 1;
  Nanoseconds offset = 0;  ///< the schedule starts so long after begin(): several clients of one load take turns
  std::uint64_t connections = 1;
  std::uint32_t calls = 1;            ///< on each connection
  Nanoseconds timeout = 5 * kSecond;  ///< of the connect, and of each call
  Nanoseconds sample = 5 * kSecond;   ///< length of one sample of the reply rate
  std::uint32_t concurrent = 1;       ///< open at one time at most; one more fails for want of a descriptor
};

/// httperf's kinds, in its order; the names are those of src/contract/ramp.ts.
enum class SessionFailure : std::uint8_t {
  client_timeout,
  socket_timeout,
  refused,
  reset,
  descriptors,
  addresses,
  file_table,
  other,
};
inline constexpr std::array kSessionFailureNames{"client-timo", "socket-timo", "connrefused", "connreset",
                                                 "fd-unavail",  "addrunavail", "ftab-full",   "other"};

struct SessionTally {
  Nanoseconds due_at = 0;      ///< begin() or when it was heard; samples and durations count from here
  Nanoseconds started_at = 0;  ///< first connection really started
  Nanoseconds ended_at = 0;    ///< last connection closed
  std::uint64_t connections = 0;
  std::uint64_t requests = 0;
  std::uint64_t replies = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint32_t most_open = 0;
  std::array<std::uint64_t, 5> status{};  ///< replies by the first digit of their status
  std::array<std::uint64_t, kSessionFailureNames.size()> failures{};
  std::vector<std::uint64_t> samples;  ///< replies in each sample since due_at
  Histogram connect, response, transfer, start_lag;
  Nanoseconds cpu = 0;   ///< of the load thread
  Nanoseconds spin = 0;  ///< of it, spent spinning for the next start
};

enum class SessionPhase : std::uint8_t { preparing, ready, running, done, failed };

class SessionEngine final : public Worker {
 public:
  explicit SessionEngine(SessionPlan plan) : plan_(std::move(plan)) {}
  ~SessionEngine() override {
    stop();
    join();
  }

  /// Lets a ready engine start its first connection at this instant of the monotonic clock; one that has passed is now.
  void begin(Nanoseconds at) noexcept { begin_at_.store(at, std::memory_order_release); }

  SessionPhase phase() const noexcept { return phase_.load(std::memory_order_acquire); }
  /// After finished(): what was measured, or why nothing was.
  const SessionTally& tally() const noexcept { return tally_; }
  int error() const noexcept { return error_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Session {
    dispatch::Slot slot = dispatch::kNoSlot;
    std::uint32_t calls = 0;        // not yet answered
    std::uint32_t sent_bytes = 0;   // of the request being sent
    bool connected = false;
    bool answering = false;         // the first byte of the reply is here
    Nanoseconds began = 0;          // connect, then the call; its timeout counts from here
    Nanoseconds first_byte = 0;
    std::uint32_t older = kNone;    // neighbours in the list by `began`
    std::uint32_t newer = kNone;
  };

  void run() override;
  void await(Nanoseconds instant);
  void serve();
  void turn();
  void start_due(Nanoseconds now);
  void start_one(Nanoseconds due);
  void on_event(std::uint32_t id, std::uint32_t flags);
  void connected(std::uint32_t id);
  void call(std::uint32_t id);
  void send_rest(std::uint32_t id);
  void read(std::uint32_t id);
  void replied(std::uint32_t id, int status, Nanoseconds at, bool last);
  void expire(Nanoseconds now);
  void fail(std::uint32_t id, int error);
  void count(SessionFailure kind) noexcept { ++tally_.failures[static_cast<std::size_t>(kind)]; }
  void close(std::uint32_t id);
  void arm(std::uint32_t id, Nanoseconds now);
  void disarm(std::uint32_t id) noexcept;
  dispatch::Handle handle(const Session& session) const noexcept { return poller_->handle(session.slot); }
  bool all_started() const noexcept { return started_ == plan_.connections; }
  void enter(SessionPhase phase) noexcept { phase_.store(phase, std::memory_order_release); }

  SessionPlan plan_;
  SessionTally tally_;
  std::atomic<SessionPhase> phase_{SessionPhase::preparing};
  std::atomic<Nanoseconds> begin_at_{0};
  int error_ = 0;
  Pacer pacer_;
  Schedule schedule_{Arrival::fixed, 1, 0, 0};
  std::unique_ptr<dispatch::Poller> poller_;
  std::unique_ptr<Exchange> exchange_;
  std::vector<dispatch::Event> events_;
  std::vector<std::byte> in_, request_;
  std::vector<Session> sessions_;
  std::vector<std::uint32_t> free_;       // sessions not in use
  std::vector<std::uint32_t> id_by_slot_;
  std::uint32_t oldest_ = kNone, newest_ = kNone;
  std::uint64_t started_ = 0;             // of the plan's connections, failed starts included
  std::uint32_t open_ = 0;
};

}  // namespace load
