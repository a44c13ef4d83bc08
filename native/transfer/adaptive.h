// How many streams send: few at first, more as long as that raises what arrives, and fewer where that loses nothing. A function
// of time and of bytes that arrived: it knows no socket.
//
// a) Goodput is what the other side has acknowledged. What was handed to sockets would tell of their buffers, which every new
//    stream brings along empty.
// b) A number of streams is judged over a stretch of time, of which the beginning is left out: new connections have still to
//    find their pace, and what old ones had under way still arrives.
// c) Links differ in what is to be expected, and their class is told by the shortest round trip. Where packets are lost over a
//    long way each stream has its share of the loss: many are needed soon, and too many cost little. So it begins with several,
//    doubles them stretch by stretch, and believes a doubling at once. Over loopback the CPU is the limit, and more streams only
//    cost: there a number holds until another one is shown to be better.
// d) What holds is put to the test by trials: twice or half as many for a stretch, between two of the number that holds, so that
//    a machine whose speed drifts favours neither. Where its class asks for it, two trials in a row have to say the same.
// e) A trial that changed nothing is repeated after a rest that doubles, for more and for fewer apart: the link may change. The
//    more a trial cost, the longer. A link that is seen to have changed is tried again at once.
#pragma once

#include <array>
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
  /// Growing: doublings are believed as they come. Holding: a number holds. Trying: another one is. Back: the one that holds
  /// is measured again behind it.
  enum class Phase : std::uint8_t { growing, holding, trying, back };
  enum Direction : std::uint8_t { more, fewer };
  /// Stretches until the next trial that way, and how many they were behind the last one.
  struct Rest {
    std::uint32_t left = 0;
    std::uint32_t last = 0;
  };

  void take(process::Nanoseconds now, std::uint32_t streams, Phase phase);
  void grow(process::Nanoseconds now, double goodput);
  void hold(process::Nanoseconds now, double goodput);
  void judge(process::Nanoseconds now, double goodput);
  bool changed(double goodput) noexcept;
  std::uint32_t there(Direction way) const noexcept;
  void rest_from(Direction way, double ratio) noexcept;

  std::uint32_t most_;
  LinkClass link_ = LinkClass::loopback;
  process::Nanoseconds round_trip_ = 0;
  process::Nanoseconds settle_ = 0;
  process::Nanoseconds stretch_ = 0;
  process::Nanoseconds began_ = 0;
  process::Nanoseconds due_ = 0;
  process::Nanoseconds from_ = 0;  ///< of the stretch
  std::uint64_t arrived_ = 0;      ///< by then
  bool settling_ = false;
  Phase phase_ = Phase::growing;
  std::uint32_t streams_ = 1;
  std::uint32_t held_ = 0;     ///< the number that holds; 0: none was judged yet
  double goodput_ = 0;         ///< its bytes a nanosecond, in the last stretch of it
  double usual_ = 0;           ///< the same, when it began to hold or was last seen to change
  std::uint32_t strange_ = 0;  ///< stretches in a row that were far from that
  Direction way_ = more;              ///< of the trial
  double tried_ = 0;           ///< its goodput
  std::uint32_t agreed_ = 0;   ///< trials in a row that favoured the other number
  std::uint32_t doubted_ = 0;  ///< stretches in which a doubling did not pay
  std::array<Rest, 2> rests_;
  std::vector<Turn> turns_;
};

}  // namespace transfer
