// The TCP load engine: a thread that opens connections, sends requests closed loop (the next when the reply is there)
// or open loop (by a schedule that waits for nobody) and measures the replies.
//
// Open loop: a request that is due while every connection is busy stays due at its intended time, and takes the first
// connection that becomes free; its latency counts from the intended time. So the schedule is its own backlog, of any
// length without memory. A request is a timeout when it could not be sent `timeout` after its intended time, or was not
// answered `timeout` after it was sent; so a server that is only behind is not punished with new connections.
// After the window the requests of the window are waited for (or sent, if still due), no others are sent.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "load/channels.h"
#include "load/dialer.h"
#include "load/id_ring.h"
#include "load/pacer.h"
#include "load/tally.h"
#include "load/worker.h"

namespace load {

struct LoadPlan {
  std::string backend;  ///< of the engine's own poller
  DialPlan dial;
  bool http = false;    ///< else tcp-echo
  std::size_t size = 64;           ///< tcp-echo: payload, bytes
  std::string host, path = "/";    ///< http
  bool any_body = false;           ///< http: replies may differ in their body
  double rate = 0;                 ///< requests per second over all connections; 0: closed loop
  Arrival arrival = Arrival::fixed;
  std::uint64_t seed = 1;
  std::uint32_t pipelining = 1;    ///< requests in flight on one connection at most
  Nanoseconds warmup = 0;
  Nanoseconds window = kSecond;
  Nanoseconds timeout = 5 * kSecond;
};

enum class LoadPhase : std::uint8_t { connecting, connected, running, draining, done, failed };

class Engine final : public Worker, private ChannelListener {
 public:
  explicit Engine(LoadPlan plan) : plan_(std::move(plan)), free_(plan_.dial.connections) {}
  ~Engine() override {
    stop();
    join();
  }

  /// Lets a connected engine send: the window starts `warmup` later.
  void begin() noexcept { begin_.store(true, std::memory_order_release); }

  /// Lets it close its connections once the window and its replies are over; until then they stand, so that a server
  /// under observation has no work of closing them.
  void end() noexcept { end_.store(true, std::memory_order_release); }

  /// Progress, readable from any thread at any time.
  struct Progress {
    std::atomic<LoadPhase> phase{LoadPhase::connecting};
    std::atomic<std::uint32_t> standing{0};
    std::atomic<std::uint64_t> replies{0};
    std::atomic<std::uint64_t> errors{0};
    std::atomic<Nanoseconds> window_start{0};  ///< known once running
    std::atomic<Nanoseconds> window_end{0};
  };
  const Progress& progress() const noexcept { return progress_; }

  /// After finished() and join(): what was measured, or why nothing was.
  const LoadPlan& plan() const noexcept { return plan_; }
  const Tally& tally() const noexcept { return tally_; }
  Pacer::Resolution resolution() const noexcept { return pacer_.resolution(); }
  Nanoseconds connect_time() const noexcept { return connect_time_; }
  int error() const noexcept { return error_; }  ///< errno of a failed connect phase

 private:
  void run() override;
  void replied(std::uint32_t id, const Request& request, Nanoseconds at, Verdict verdict) override;
  void lost(const Request& request, ErrorKind kind) override;
  void ended(std::uint32_t id) override;
  void unsolicited() override;

  bool open_loop() const noexcept { return plan_.rate > 0; }
  bool sending(Nanoseconds now) const noexcept { return phase() == LoadPhase::running && now < tally_.window_end; }
  LoadPhase phase() const noexcept { return progress_.phase.load(std::memory_order_relaxed); }
  void enter(LoadPhase phase) noexcept { progress_.phase.store(phase, std::memory_order_release); }

  void turn();
  void advance_phase(Nanoseconds now);
  void check_connecting(Nanoseconds now);
  void start_sending(Nanoseconds now);
  void finish();
  Nanoseconds next_due() noexcept;
  void issue(Nanoseconds now);
  bool send_one(Nanoseconds due);
  void expire(Nanoseconds due) noexcept;
  void offer(std::uint32_t id, Nanoseconds now);
  dispatch::TimeoutNs wait_time(Nanoseconds now) noexcept;
  Meter meter() const noexcept;

  LoadPlan plan_;
  Progress progress_;
  std::atomic<bool> begin_{false};
  std::atomic<bool> end_{false};
  Tally tally_;
  Pacer pacer_;
  std::unique_ptr<dispatch::Poller> poller_;
  std::unique_ptr<Dialer> dialer_;
  std::unique_ptr<Channels> channels_;
  std::vector<dispatch::Event> events_;

  Schedule schedule_{Arrival::fixed, 1, 0, 0};
  bool window_scheduled_ = false;   // schedule_ is the window's, not the warm-up's
  IdRing free_;                     // connections that can take a request, least recently used first
  Nanoseconds freed_at_ = 0;        // when a connection became free after all had been busy
  Nanoseconds connect_time_ = 0;
  bool in_window_ = false;
  std::uint64_t replies_ = 0;
  std::uint64_t errors_ = 0;
  int error_ = 0;
};

}  // namespace load
