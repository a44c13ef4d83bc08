// The bytes that are sent: drawn once, the same in memory and in a file without a name, and sent round and round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace transfer {

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source();

  /// Whole chunks, in `memory` bytes or as many more as the last one takes. One sentence on what failed.
  std::string open(std::size_t chunk, std::size_t memory, std::uint64_t seed);

  int file() const noexcept { return file_; }
  std::size_t size() const noexcept { return bytes_.size(); }
  /// The rest of the chunk that position `at` of a stream lies in; streams begin at different chunks.
  std::span<const std::byte> piece(std::uint32_t stream, std::uint64_t at) const noexcept {
    const std::size_t from = (stream % (bytes_.size() / chunk_) * chunk_ + at) % bytes_.size();
    return bytes_.subspan(from, chunk_ - from % chunk_);
  }
  std::size_t offset(std::span<const std::byte> piece) const noexcept {
    return static_cast<std::size_t>(piece.data() - bytes_.data());
  }

 private:
  std::span<std::byte> bytes_;
  std::size_t chunk_ = 1;
  int file_ = -1;
};

}  // namespace transfer
