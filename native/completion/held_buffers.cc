#ifdef __linux__
#include "completion/held_buffers.h"

namespace completion {

std::uint32_t HeldBuffers::hold(std::span<const std::byte> bytes, std::uint64_t word) {
  const auto buffers = buffers_.holding(bytes);
  if (!buffers) return kNone;
  const auto [first, last] = *buffers;
  std::uint32_t more = 0;
  for (std::uint32_t id = first; id <= last; ++id) more += states_[id].holds == 0 ? 1 : 0;
  // A peer that does not read holds what it was sent for as long as it likes; half of the buffers stay for receives.
  if (held_ + more > buffers_.count() / 2) return kNone;
  held_ += more;
  for (std::uint32_t id = first; id <= last; ++id) ++states_[id].holds;
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(holds_.size()));
    holds_.emplace_back();
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  holds_[number] = {word, bytes.size(), first, last};
  return number;
}

void HeldBuffers::release(std::uint32_t hold) {
  const auto [word, size, first, last] = holds_[hold];
  free_.push_back(hold);
  for (std::uint32_t id = first; id <= last; ++id) {
    State& state = states_[id];
    if (--state.holds > 0) continue;
    --held_;
    if (!state.waits) continue;
    state.waits = false;
    spent_.push_back(static_cast<std::uint16_t>(id));
  }
}

void HeldBuffers::give_back() noexcept {
  if (spent_.empty()) return;
  for (const std::uint16_t id : spent_) {
    if (states_[id].holds > 0) states_[id].waits = true;
    else buffers_.give(id);
  }
  buffers_.publish();
  spent_.clear();
}

}  // namespace completion
#endif
