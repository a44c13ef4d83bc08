// Which slot a handle has: the small number by which everything above a Poller names a registration and indexes its
// tables. Where handles are small numbers themselves the slot is the handle, and all of this is nothing at run time.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "dispatch/event.h"

namespace dispatch {

/// POSIX gives out the lowest free descriptor.
class IdentitySlots {
 public:
  /// Slot of a handle, registered or not.
  static Slot find(Handle handle) noexcept { return static_cast<Slot>(handle); }
  /// Slot that a new registration of `handle` gets.
  static Slot take(Handle handle) noexcept { return static_cast<Slot>(handle); }
  /// The registration ended; the slot may be given to another handle.
  static void release(Slot) noexcept {}
  /// Handle of a registered slot.
  static Handle handle(Slot slot) noexcept { return static_cast<Handle>(slot); }
};

/// Windows gives out numbers without a bound: slots are counted up and used again, and found by the handle.
class SparseSlots {
 public:
  Slot find(Handle handle) const noexcept {
    const auto found = by_handle_.find(handle);
    return found == by_handle_.end() ? kNoSlot : found->second;
  }
  Slot take(Handle handle) {
    if (free_.empty()) {
      free_.push_back(static_cast<Slot>(handles_.size()));
      handles_.push_back(kNoHandle);
    }
    const Slot slot = free_.back();
    free_.pop_back();
    handles_[slot] = handle;
    by_handle_[handle] = slot;
    return slot;
  }
  void release(Slot slot) noexcept {
    by_handle_.erase(handles_[slot]);
    handles_[slot] = kNoHandle;
    free_.push_back(slot);
  }
  Handle handle(Slot slot) const noexcept { return slot < handles_.size() ? handles_[slot] : kNoHandle; }

 private:
  std::unordered_map<Handle, Slot> by_handle_;
  std::vector<Handle> handles_;  // by slot
  std::vector<Slot> free_;
};

// DISPATCHBENCH_SPARSE_SLOTS has the tests run on POSIX as if handles were sparse, which shows that nothing above a
// Poller takes a slot for a handle.
#if defined(_WIN32) || defined(DISPATCHBENCH_SPARSE_SLOTS)
using Slots = SparseSlots;
#else
using Slots = IdentitySlots;
#endif

}  // namespace dispatch
