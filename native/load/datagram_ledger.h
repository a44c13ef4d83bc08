// The books of one flow (one client socket and one server port): what was sent, what came back, and as what.
// They balance at any time: sent = received + unanswered, where received counts every datagram once. After the drain,
// what is unanswered is lost.
#pragma once

#include <cstdint>
#include <vector>

#include "load/clock.h"
#include "load/datagram_format.h"

namespace load {

struct DatagramCounts {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;        ///< datagrams answered by an intact reply, each counted once, late ones included
  std::uint64_t late = 0;            ///< of these, answered after the timeout: they were lost until then
  std::uint64_t reordered = 0;       ///< of these, answered after a later datagram of their flow (RFC 4737, section 3)
  std::uint64_t duplicates = 0;      ///< intact replies to datagrams already answered
  std::uint64_t unattributable = 0;  ///< intact, but older than the window: late or duplicate, cannot be known
  std::uint64_t corrupted = 0;       ///< replies whose checksum, length or content is wrong; they answer nothing
  std::uint64_t truncated = 0;       ///< replies shorter than what was sent; they answer nothing
  std::uint64_t unreachable = 0;     ///< ICMP errors that came back
  std::uint64_t foreign = 0;         ///< datagrams from a port that was not asked

  void add(const DatagramCounts& other) noexcept;
};

/// Remembers which of the newest 65 536 sequence numbers have arrived. Starts small and grows with the flow.
class ReceiveWindow {
 public:
  static constexpr std::uint64_t kSpan = 65'536;
  enum class Arrival : std::uint8_t { in_order, reordered, duplicate, beyond };

  Arrival mark(std::uint64_t sequence);

 private:
  bool exchange(std::uint64_t sequence) noexcept;
  void clear(std::uint64_t from, std::uint64_t to) noexcept;

  std::uint64_t next_ = 0;  // highest arrived + 1
  std::vector<std::uint64_t> bits_;
};

/// Send times of the unanswered datagrams of a flow, oldest first. Holds at most what was sent within one timeout.
class Outstanding {
 public:
  struct Times {
    Nanoseconds intended;
    Nanoseconds actual;
  };
  bool empty() const noexcept { return first_ == end_; }
  std::uint64_t oldest() const noexcept { return first_; }
  const Times& times(std::uint64_t sequence) const noexcept { return ring_[sequence & (ring_.size() - 1)].times; }
  bool contains(std::uint64_t sequence) const noexcept {
    return sequence >= first_ && sequence < end_ && ring_[sequence & (ring_.size() - 1)].open;
  }
  /// The sequence numbers pushed are consecutive.
  void push(const Times& times);
  /// Takes the last push back.
  void pop_newest() noexcept { --end_; }
  void remove(std::uint64_t sequence) noexcept;

 private:
  struct Entry {
    Times times;
    bool open;
  };
  std::uint64_t first_ = 0;  // open, unless empty
  std::uint64_t end_ = 0;
  std::vector<Entry> ring_;
};

class FlowLedger {
 public:
  /// `keep_times`: remember send times here, because datagrams do not carry them or because losses free a window.
  FlowLedger(Identity identity, bool keep_times) noexcept : identity_(identity), keep_times_(keep_times) {}

  std::uint64_t sent() const noexcept { return sent_; }
  std::uint64_t received() const noexcept { return received_; }

  /// Books a datagram as sent and returns its sequence number.
  std::uint64_t send(Nanoseconds intended, Nanoseconds actual);
  /// Takes the last send back: the kernel refused it.
  void unsend() noexcept;

  struct Receipt {
    bool answered = false;  ///< a first intact reply
    bool timed = false;     ///< `times` are known
    bool settled = false;   ///< one datagram less is outstanding (only with keep_times)
    bool late = false;
    Outstanding::Times times{};
  };
  /// Books a reply read at `now`. The send counters in `counts` are not touched.
  Receipt receive(const DatagramFormat::Reading& reading, Nanoseconds now, Nanoseconds timeout, DatagramCounts& counts);

  /// Gives up waiting for one datagram whose fate is known (ICMP error). `sequence` is ignored without identity.
  bool settle(bool identified, std::uint64_t sequence) noexcept;
  /// Gives up waiting for datagrams sent at or before `limit`; returns how many.
  std::uint64_t expire(Nanoseconds limit) noexcept;

 private:
  Receipt receive_anonymous(Nanoseconds now, Nanoseconds timeout, DatagramCounts& counts);

  Identity identity_;
  bool keep_times_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  ReceiveWindow window_;
  Outstanding outstanding_;
};

}  // namespace load
