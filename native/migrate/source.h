// The sender's view of its memory: what the receiver was last told of each block, and what has become of it since.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "migrate/codec.h"
#include "migrate/format.h"
#include "migrate/memory.h"
#include "process/clock.h"

namespace migrate {

struct Choice {
  Codec codec = Codec::none;
  int level = 0;
};

/// Pages by what became of them.
struct PageCounts {
  std::uint64_t same = 0;
  std::uint64_t zero = 0;
  std::uint64_t plain = 0;
  std::uint64_t changed = 0;

  PageCounts& operator+=(const PageCounts& more) noexcept {
    same += more.same;
    zero += more.zero;
    plain += more.plain;
    changed += more.changed;
    return *this;
  }
};

/// A frame as it travels.
struct Frame {
  std::uint32_t block = 0;
  FrameKind kind = FrameKind::block;
  std::vector<std::byte> bytes = {};  ///< head and body; empty: nothing has changed
  Choice choice = {};                 ///< what was asked for; a body that it makes longer goes as it is
  std::size_t raw = 0;
  PageCounts pages = {};
  process::Nanoseconds cpu = 0;   ///< time of the thread that made it
  process::Nanoseconds pack = 0;  ///< of it: compressing
};

/// What a thread makes frames with.
struct Workbench {
  Coder coder;
  alignas(64) std::byte now[kBlock];
  alignas(64) std::byte body[kBlock];
  alignas(64) std::byte older[kBlock];  ///< what the pages of the body were, where the codec refers to that
  alignas(64) std::byte packed[kBlock];
};

class Source {
 public:
  /// `memory` may be written by others meanwhile. One sentence on what failed.
  std::string open(std::span<const std::byte> memory);

  std::span<const std::byte> memory() const noexcept { return memory_; }
  std::size_t blocks() const noexcept { return digests_.size(); }
  /// Before the first frame: the receiver has blocks of these digests, and no zeros.
  void begin_with(std::span<const std::uint64_t> digests);
  /// Takes the block as it is now. Different blocks may be made by different threads at the same time.
  Frame frame(std::uint32_t block, Choice choice, Workbench& bench);
  /// After the last block: `digest` of what the receiver was told.
  Frame finish(std::uint64_t digest) const;
  /// Of the whole memory as the receiver was told of it.
  std::uint64_t told() const noexcept { return digest_of(told_.bytes()); }

 private:
  std::span<const std::byte> memory_;
  Memory told_;
  std::vector<std::uint64_t> digests_;
  /// Of a block the receiver has bytes that are known by their digest alone, and not told. Bytes: threads write them.
  std::vector<std::uint8_t> unknown_;
};

}  // namespace migrate
