// The array that poll(2) and WSAPoll take: dense, with the registration of each entry beside it.
#pragma once

#include <span>
#include <vector>

#include "dispatch/event.h"
#include "dispatch/poll_bits.h"

namespace dispatch {

/// @tparam Entry pollfd, or what the system calls it
template <class Entry>
class PollArray {
 public:
  /// Puts a registration in with what is wanted, or takes it out: no entry is of interest `none`.
  void set(Handle handle, Token token, Interest wanted) noexcept {
    if (wanted == Interest::none) return remove(token.slot);
    const auto slot = std::size_t{token.slot};
    if (slot >= position_.size()) position_.resize(slot + 1, kAbsent);
    if (position_[slot] == kAbsent) {
      position_[slot] = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back({.fd = handle, .events = 0, .revents = 0});
      tokens_.push_back(token);
    }
    entries_[position_[slot]].events = poll_bits(wanted);
  }

  /// The last entry moves into the hole.
  void remove(Slot slot) noexcept {
    if (slot >= position_.size() || position_[slot] == kAbsent) return;
    const std::uint32_t hole = position_[slot];
    position_[tokens_.back().slot] = hole;
    entries_[hole] = entries_.back();
    tokens_[hole] = tokens_.back();
    entries_.pop_back();
    tokens_.pop_back();
    position_[slot] = kAbsent;
  }

  std::span<Entry> entries() noexcept { return entries_; }

  /// Turns the `ready` entries that the system has marked into rows, from behind the last one that found room, and
  /// takes out what is no longer open. Returns how many rows there are.
  std::size_t collect(std::span<Event> out, int ready) noexcept {
    const std::size_t size = entries_.size();
    std::size_t at = start_ < size ? start_ : 0;
    std::size_t count = 0;
    for (int left = ready; left > 0 && count < out.size(); at = at + 1 < size ? at + 1 : 0) {
      const auto revents = static_cast<unsigned short>(entries_[at].revents);
      if (revents == 0) continue;
      --left;
      if ((revents & POLLNVAL) != 0) [[unlikely]]
        invalid_.push_back(tokens_[at].slot);
      out[count++] = {tokens_[at].slot, tokens_[at].generation, flags_of_poll(revents), 0};
    }
    start_ = count == out.size() ? at : 0;
    for (const Slot slot : invalid_) remove(slot);
    invalid_.clear();
    return count;
  }

 private:
  static constexpr std::uint32_t kAbsent = ~0u;
  std::vector<Entry> entries_;
  std::vector<Token> tokens_;            // of the entry at the same place
  std::vector<std::uint32_t> position_;  // of a slot in entries_
  std::vector<Slot> invalid_;            // to drop after the scan
  std::size_t start_ = 0;
};

}  // namespace dispatch
