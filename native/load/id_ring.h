// A queue of connection numbers that holds each at most once, so its room is known and pushing never allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace load {

class IdRing {
 public:
  explicit IdRing(std::uint32_t ids) : ring_(ids), held_(ids) {}

  bool empty() const noexcept { return count_ == 0; }
  std::uint32_t front() const noexcept { return ring_[head_]; }

  /// Appends `id` unless it is in the queue already.
  void push(std::uint32_t id) noexcept {
    if (held_[id]) return;
    held_[id] = true;
    ring_[(head_ + count_++) % ring_.size()] = id;
  }

  std::uint32_t pop() noexcept {
    const std::uint32_t id = ring_[head_];
    held_[id] = false;
    head_ = (head_ + 1) % ring_.size();
    --count_;
    return id;
  }

 private:
  std::vector<std::uint32_t> ring_;
  std::vector<bool> held_;
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

}  // namespace load
