// Opens connections and keeps them standing: paced (a bounded number of handshakes at a time, so that no listen queue
// overflows), non-blocking, from a pool of source addresses where one address's ports do not suffice. What ended is
// opened again. Used by the load engine and by the idle holder; costs 20 bytes a connection.
#pragma once

#include <cstdint>
#include <vector>

#include "dispatch/poller.h"
#include "load/clock.h"
#include "load/errors.h"
#include "load/id_ring.h"
#include "net/socket.h"

namespace load {

struct DialPlan {
  net::Address target;
  std::vector<net::Address> sources;  ///< local addresses, used in turn; empty: the system chooses
  std::uint32_t connections = 1;
  std::uint32_t handshakes = 128;     ///< handshakes in flight at most
  Nanoseconds timeout = 5 * kSecond;  ///< of one handshake
  bool abortive = false;              ///< close with RST, so that no port lingers in TIME_WAIT
};

class Dialer {
 public:
  enum class Outcome : std::uint8_t { pending, opened, failed };

  Dialer(const DialPlan& plan, dispatch::Poller& poller);
  ~Dialer();

  /// Starts as many handshakes as the pacing allows and ends those that took too long.
  void dial(Nanoseconds now);
  /// Earliest time at which dial() has something to do although no event came; far in the future when nothing waits.
  Nanoseconds next_dial() const noexcept {
    return queue_.empty() || dialing_ >= plan_.handshakes ? kNever : retry_at_;
  }

  /// Connection of a slot that the poller reported.
  std::uint32_t id_of(dispatch::Slot slot) const noexcept { return id_by_slot_[slot]; }
  dispatch::Slot slot(std::uint32_t id) const noexcept { return connections_[id].slot; }
  dispatch::Handle handle(std::uint32_t id) const noexcept { return poller_.handle(connections_[id].slot); }
  bool standing(std::uint32_t id) const noexcept { return connections_[id].state == State::standing; }

  /// Takes an event of a connection that does not stand yet. When it opens, the connection is registered for reading.
  Outcome on_event(std::uint32_t id, Nanoseconds now);
  /// How long the handshake of a connection that just opened took.
  Nanoseconds handshake(std::uint32_t id, Nanoseconds now) const noexcept { return now - connections_[id].began; }

  /// Closes a standing connection and queues it to be opened again.
  void reopen(std::uint32_t id);

  std::uint32_t standing_count() const noexcept { return standing_; }
  std::uint32_t connections() const noexcept { return static_cast<std::uint32_t>(connections_.size()); }
  /// Failed attempts so far, by kind.
  const ErrorCounts& failures() const noexcept { return failures_; }
  /// While connections are first opened: the errno for which the rest cannot be expected to stand, or 0. A reset or an
  /// overflowing listen queue may pass and is tried again; a refusal or a lack of descriptors or ports does not.
  int hopeless(Nanoseconds now) const noexcept;
  /// Since the first attempt.
  Nanoseconds elapsed(Nanoseconds now) const noexcept { return now - began_; }

 private:
  static constexpr Nanoseconds kNever = INT64_MAX;
  static constexpr Nanoseconds kRetryPause = 10 * kMillisecond;
  static constexpr int kBurst = 16;  // handshakes begun before those under way are looked at again
  enum class State : std::uint8_t { queued, dialing, standing };
  struct Connection {
    Nanoseconds began = 0;
    dispatch::Slot slot = dispatch::kNoSlot;
    State state = State::queued;
  };

  bool begin(std::uint32_t id, Nanoseconds now);
  void fail(std::uint32_t id, int error, Nanoseconds now);
  void close(dispatch::Handle handle) const noexcept;
  void close(Connection& connection);

  DialPlan plan_;
  dispatch::Poller& poller_;
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> id_by_slot_;
  IdRing queue_;
  Nanoseconds retry_at_ = 0;
  Nanoseconds next_sweep_ = 0;
  std::uint32_t dialing_ = 0;
  std::uint32_t standing_ = 0;
  Nanoseconds began_ = monotonic_now();
  ErrorCounts failures_{};
  int last_error_ = 0;
};

}  // namespace load
