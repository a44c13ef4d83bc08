// How many streams send: few at first, more as long as that raises what arrives, and back where it does not. A function of time
// and of bytes that arrived: it knows no socket.
//
// a) Goodput is what the other side has acknowledged. What was handed to sockets would tell of their buffers, which every new
//    stream brings along empty.
// b) A number of streams is judged over a stretch of time, of which the beginning is left out: new connections have still to
//    find their pace, and what old ones had under way still arrives.
// c) How long that is, with how many to begin, and how much more is worth another doubling, depends on the link's class, told by
//    its shortest round trip. Over loopback the CPU is the limit, and more streams only cost. Where packets are lost over a
//    long way each stream has its share of the loss: many are needed soon, and too many cost little, so that a doubling is
//    doubted for longer before it is taken back.
// d) A doubling that does not pay is taken back, and tried again after a pause that doubles as well: the link may have changed.
#pragma once

#include <cstdint>
#include <vector>

#include "process/clock.h"

namespace transfer {

enum class LinkClass : std::uint8_t { loopback, datacenter, wan };
const char* name_of(LinkClass link) noexcept;

/// Shortest round trip, as connections that were just set up have seen it.
LinkClass class_of(process::Nanoseconds round_trip) noexcept;

class Adaptive {
 public:
  struct Turn {
    process::Nanoseconds at;  ///< since the beginning
    std::uint32_t streams;    ///< from then on
  };

  /// `most`: streams that stand.
  explicit Adaptive(std::uint32_t most) noexcept : most_(most) {}

  void begin(process::Nanoseconds now, process::Nanoseconds round_trip);
  LinkClass link() const noexcept { return link_; }
  process::Nanoseconds round_trip() const noexcept { return round_trip_; }
  std::uint32_t streams() const noexcept { return streams_; }
  /// When to look next.
  process::Nanoseconds due() const noexcept { return due_; }
  /// `arrived`: bytes of all streams so far. May change streams().
  void look(process::Nanoseconds now, std::uint64_t arrived);
  const std::vector<Turn>& turns() const noexcept { return turns_; }

 private:
  enum class Phase : std::uint8_t { settling, judging, resting };
  void take(process::Nanoseconds now, std::uint32_t streams);
  void grow(process::Nanoseconds now);
  void judge(process::Nanoseconds now, double goodput);

  std::uint32_t most_;
  LinkClass link_ = LinkClass::loopback;
  process::Nanoseconds round_trip_ = 0;
  process::Nanoseconds settle_ = 0;
  process::Nanoseconds stretch_ = 0;
  process::Nanoseconds began_ = 0;
  process::Nanoseconds due_ = 0;
  Phase phase_ = Phase::settling;
  std::uint32_t streams_ = 1;
  std::uint32_t best_streams_ = 0;  ///< 0: none was judged yet
  double best_ = 0;                 ///< its bytes a nanosecond
  std::uint32_t doubted_ = 0;       ///< stretches in which these streams did not pay
  std::uint32_t pause_ = 0;         ///< stretches to rest before the next try
  process::Nanoseconds from_ = 0;   ///< of the stretch
  std::uint64_t arrived_ = 0;       ///< by then
  std::vector<Turn> turns_;
};

}  // namespace transfer
