// What is wanted of each registration, for mechanisms that are told of changes in batches: by slot, with what the
// kernel has of it, a list of those about which it is to be told, and where their rows of a batch stand.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "dispatch/event.h"

namespace dispatch {

/// Directions are the bits of Interest.
struct Watch {
  Handle handle = kNoHandle;
  std::uint32_t generation = 0;
  std::uint32_t position = 0;  ///< perhaps of its row in the batch under construction: the row there decides
  std::uint8_t wanted = 0;
  std::uint8_t in_kernel = 0;
  std::uint8_t touched = 0;  ///< asked about since the kernel was told; not 0: on the list
};

constexpr std::uint8_t directions_of(Interest interest) noexcept { return static_cast<std::uint8_t>(interest); }

/// @tparam Row a Watch and what a mechanism adds to it
template <class Row = Watch>
class Watches {
 public:
  /// Takes a wish, and lists the registration with the directions that differ, or with all when it is armed again.
  void want(Handle handle, Token token, Interest old, Interest wanted) noexcept {
    const auto slot = std::size_t{token.slot};
    if (slot >= rows_.size()) rows_.resize(std::max(slot + 1, rows_.size() * 2));
    Row& row = rows_[slot];
    row.handle = handle;
    row.generation = token.generation;
    row.wanted = directions_of(wanted);
    touch(token.slot, old == wanted ? directions_of(wanted) : directions_of(old) ^ directions_of(wanted));
  }

  /// Null for a slot of which nothing was ever wanted.
  Row* find(Slot slot) noexcept { return slot < rows_.size() ? &rows_[slot] : nullptr; }
  Row& operator[](Slot slot) noexcept { return rows_[slot]; }
  std::span<Row> all() noexcept { return rows_; }

  void touch(Slot slot, unsigned directions) noexcept {
    if (rows_[slot].touched == 0) touched_.push_back(slot);
    rows_[slot].touched |= static_cast<std::uint8_t>(directions);
  }

  /// Calls tell(slot, row) for each that is listed, and empties the list.
  template <class Tell>
  void each_touched(Tell tell) noexcept {
    for (const Slot slot : touched_) {
      tell(slot, rows_[slot]);
      rows_[slot].touched = 0;
    }
    touched_.clear();
  }

  /// Adds a row to the batch `out`, or merges it with that of its registration.
  void place(std::span<Event> out, std::uint32_t& count, const Event& event) noexcept {
    std::uint32_t& position = rows_[event.slot].position;
    if (position < count && out[position].slot == event.slot && out[position].generation == event.generation) {
      out[position].flags |= event.flags;
      if ((event.flags & readable) != 0) out[position].aux = event.aux;
    } else {
      position = count;
      out[count++] = event;
    }
  }

 private:
  std::vector<Row> rows_;  // by slot
  std::vector<Slot> touched_;
};

}  // namespace dispatch
