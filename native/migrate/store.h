// The receiver's memory, and what frames do to it: wholly, or not at all. Knows no connection.
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

/// Why `head` is no frame of a memory of so many bytes; null where it is one. A body is never longer than this allows, packed
/// or not, and nobody has to take the head's word for it.
const char* refusal(const FrameHead& head, std::uint64_t bytes) noexcept;

struct StoreCounts {
  std::uint64_t frames = 0;
  std::uint64_t twice = 0;     ///< frames that had come before
  std::uint64_t unpacked = 0;  ///< bytes that came out of bodies
  process::Nanoseconds unpack = 0;
};

class Store {
 public:
  /// Memory of zeros; with `path`, a file beside it that takes its name when all is there. `keep`: begins with what an earlier
  /// one left in that file, and leaves it there. One sentence on what failed.
  std::string open(std::uint64_t bytes, const std::string& path, bool keep = false);
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store() { abandon(); }
  /// Removes what was not finished and is not to be kept; nothing more can be taken then.
  void abandon() noexcept;

  bool opened() const noexcept { return !memory_.bytes().empty(); }
  std::uint64_t bytes() const noexcept { return memory_.bytes().size(); }
  /// Takes a frame whose head is none to refuse. One sentence on what is wrong with it, and then nothing was changed.
  std::string take(const FrameHead& head, std::span<const std::byte> body);
  std::uint64_t digest(std::uint32_t block) const noexcept { return digests_[block]; }
  /// Of the blocks that an earlier one left here; empty: it began with zeros.
  std::span<const std::uint64_t> found() const noexcept { return found_ ? std::span(digests_) : std::span<const std::uint64_t>(); }
  bool finished() const noexcept { return finished_; }
  /// Of the whole; 0 before it is finished.
  std::uint64_t whole() const noexcept { return whole_; }
  const StoreCounts& counts() const noexcept { return counts_; }

 private:
  std::span<const std::byte> older_pages(const PageMap& map, std::span<const std::byte> block);
  std::string take_block(const FrameHead& head, std::span<const std::byte> body);
  std::string finish(const FrameHead& head);

  Memory memory_;
  std::string path_;
  std::string partial_;  ///< empty: there is no file that is not finished
  bool keep_ = false;
  bool found_ = false;
  std::vector<std::uint64_t> digests_;
  std::vector<std::byte> raw_;  ///< room for one body
  std::vector<std::byte> older_;  ///< and for what its pages were
  std::vector<std::byte> next_;  ///< room for one block
  Coder coder_;
  StoreCounts counts_;
  std::uint64_t whole_ = 0;
  bool finished_ = false;
};

}  // namespace migrate
