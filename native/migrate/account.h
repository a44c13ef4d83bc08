// What a sender or a receiver tells of its work.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "migrate/source.h"
#include "migrate/store.h"
#include "process/clock.h"
#include "transfer/span.h"

namespace migrate {

/// One pass over memory.
struct Pass {
  PageCounts pages;
  std::uint64_t frames = 0;
  std::uint64_t raw = 0;   ///< bytes of bodies before they were compressed
  std::uint64_t wire = 0;  ///< bytes of frames
  process::Nanoseconds wall = 0;  ///< until the last answer
};

struct Account : transfer::Span {
  std::uint64_t memory = 0;    ///< bytes
  std::uint64_t sent = 0;      ///< bytes that the system took, frames that were sent again included
  std::uint64_t received = 0;  ///< bytes
  std::uint64_t digest = 0;    ///< of the whole memory, where it came to that
  bool whole = false;          ///< the receiver has it
  std::uint32_t lost = 0;      ///< connections that were cut

  // Of a sender.
  std::vector<Pass> passes;
  std::uint64_t again = 0;           ///< frames that were sent again
  process::Nanoseconds make = 0;     ///< time of the threads that make frames
  process::Nanoseconds pack = 0;     ///< of it: compressing
  std::map<std::pair<Codec, int>, std::uint64_t> choices;  ///< frames by what they were made with
  double link_rate = 0;              ///< bytes a second, as the ladder has it
  std::uint64_t dirtied = 0;         ///< pages that were written to meanwhile
  process::Nanoseconds down = -1;    ///< from when nobody wrote any more until the receiver had it all; -1: nobody wrote

  // Of a receiver.
  StoreCounts store;
  std::uint64_t strangers = 0;  ///< connections that had nothing to do with it
};

}  // namespace migrate
