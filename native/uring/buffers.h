// A provided-buffer ring: memory from which the kernel takes a buffer for each receive when its bytes are there, so that an
// idle connection holds none. Linux 5.19.
#pragma once

#ifdef __linux__
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "uring/ring.h"

namespace uring {

class BufferRing {
 public:
  BufferRing() = default;
  ~BufferRing() { close(); }
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;

  /// Registers `count` (a power of two, at most 32768) buffers of `bytes` as group `group` of the ring, and gives all of
  /// them. `incremental`: the kernel fills a buffer receive by receive (Linux 6.12; EINVAL before). Returns 0 or an errno.
  int open(Ring& ring, std::uint16_t group, std::uint32_t count, std::uint32_t bytes, bool incremental = false) noexcept;
  /// To be called before the ring is closed, or not at all.
  void close() noexcept;

  /// Of a completion with completed::has_buffer: calls part(bytes) for each stretch of memory that it filled, in order, and
  /// ended(id) for each buffer that the kernel is done with. The bytes are valid until their buffer is given back. One
  /// stretch, unless it was received in a bundle, which goes on in the buffers that follow the first one in the ring.
  template <class Part, class Ended>
  void received(const Completion& row, Part part, Ended ended) noexcept {
    auto id = static_cast<std::uint16_t>(row.flags >> completed::buffer_shift);
    std::span<std::byte> stretch;
    auto left = static_cast<std::uint32_t>(row.result);
    for (std::uint32_t buffers = 1;; ++buffers) {
      const std::span<std::byte> filled = fill(id, left);
      left -= static_cast<std::uint32_t>(filled.size());
      if (stretch.data() + stretch.size() == filled.data()) {
        stretch = {stretch.data(), stretch.size() + filled.size()};
      } else {
        if (!stretch.empty()) part(stretch);
        stretch = filled;
      }
      const bool last = left == 0 || buffers == count_;
      if (!last || (row.flags & completed::buffer_goes_on) == 0) ended(id);
      if (last) break;
      id = entries_[(places_[id] + 1) & (count_ - 1)].id;
    }
    part(stretch);
  }

  /// The first and the last of the buffers in which `bytes` lie; none when they lie elsewhere.
  std::optional<std::pair<std::uint16_t, std::uint16_t>> holding(std::span<const std::byte> bytes) const noexcept;

  /// The kernel may have the buffer again, from publish() on.
  void give(std::uint16_t id) noexcept;
  void publish() noexcept;

  std::uint32_t count() const noexcept { return count_; }
  std::uint32_t bytes() const noexcept { return bytes_; }

 private:
  std::span<std::byte> fill(std::uint16_t id, std::uint32_t most) noexcept;

  Ring* ring_ = nullptr;
  ProvidedBuffer* entries_ = nullptr;
  std::byte* memory_ = nullptr;
  std::size_t length_ = 0;
  std::uint32_t count_ = 0, bytes_ = 0;
  std::uint16_t group_ = 0, tail_ = 0;
  std::vector<std::uint32_t> filled_;  // by buffer, of incremental ones: where the next receive lies
  std::vector<std::uint16_t> places_;  // by buffer: where in the ring it was given last
};

}  // namespace uring
#endif
