// Buffers of a provided-buffer ring that a send without copying still reads from: they go back to the kernel for receives when
// they are spent and nothing of them is on its way any more.
#pragma once

#ifdef __linux__
#include <cstdint>
#include <span>
#include <vector>

#include "uring/buffers.h"

namespace completion {

class HeldBuffers {
 public:
  explicit HeldBuffers(uring::BufferRing& buffers) : buffers_(buffers) {}

  /// After the ring of buffers was opened.
  void open() { states_.assign(buffers_.count(), {}); }

  static constexpr std::uint32_t kNone = UINT32_MAX;
  /// Holds the buffers in which `bytes` lie, for a send that is known to its caller by `word`. Returns the hold's number, or
  /// kNone: the bytes lie elsewhere, or so many buffers are held by peers that do not read that receives would starve.
  std::uint32_t hold(std::span<const std::byte> bytes, std::uint64_t word);
  std::uint64_t word_of(std::uint32_t hold) const noexcept { return holds_[hold].word; }
  std::size_t size_of(std::uint32_t hold) const noexcept { return holds_[hold].size; }
  void release(std::uint32_t hold);

  /// What a receive filled was looked at.
  void spend(std::uint16_t id) { spent_.push_back(id); }
  /// Gives the kernel all that are spent and not held.
  void give_back() noexcept;

 private:
  struct State {
    std::uint16_t holds = 0;
    bool waits = false;  // spent, and to be given back when it is held no more
  };
  struct Hold {
    std::uint64_t word;
    std::size_t size;
    std::uint16_t first, last;  // buffers
  };

  uring::BufferRing& buffers_;
  std::vector<State> states_;  // by buffer
  std::uint32_t held_ = 0;     // buffers
  std::vector<Hold> holds_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint16_t> spent_;
};

}  // namespace completion
#endif
