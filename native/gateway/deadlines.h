// Which registration has waited too long: a ring in order of due times. All wait equally long, so the order is that of
// setting, and setting, clearing and asking for the first cost the same however many there are.
#pragma once

#include <cstdint>
#include <vector>

#include "dispatch/event.h"
#include "process/clock.h"

namespace gateway {

class Deadlines {
 public:
  /// Every deadline is `patience` after the time it is set at.
  explicit Deadlines(process::Nanoseconds patience) : patience_(patience), entries_(1) {}

  /// Sets or moves the deadline of a slot; `now` never goes back.
  void set(dispatch::Slot slot, process::Nanoseconds now) {
    const std::uint32_t at = slot + 1;
    if (at >= entries_.size()) {
      const auto old = static_cast<std::uint32_t>(entries_.size());
      entries_.resize(at + at / 2 + 64);
      for (auto i = old; i < entries_.size(); ++i) entries_[i] = {i, i, 0};
    }
    unlink(at);
    Entry& head = entries_[0];
    entries_[at] = {head.before, 0, now + patience_};
    entries_[head.before].after = at;
    head.before = at;
  }
  void clear(dispatch::Slot slot) noexcept {
    if (slot + 1 < entries_.size()) unlink(slot + 1);
  }

  /// The slot whose deadline comes first; kNoSlot when none has one.
  dispatch::Slot first() const noexcept { return entries_[0].after - 1; }
  /// When that is.
  process::Nanoseconds due() const noexcept { return entries_[entries_[0].after].due; }

 private:
  struct Entry {
    std::uint32_t before = 0;  // itself when it is in no ring
    std::uint32_t after = 0;
    process::Nanoseconds due = 0;
  };
  void unlink(std::uint32_t at) noexcept {
    Entry& entry = entries_[at];
    entries_[entry.before].after = entry.after;
    entries_[entry.after].before = entry.before;
    entry.before = entry.after = at;
  }

  const process::Nanoseconds patience_;
  std::vector<Entry> entries_;  // the head, then by slot
};
static_assert(dispatch::kNoSlot == static_cast<dispatch::Slot>(-1), "the head stands for no slot");

}  // namespace gateway
