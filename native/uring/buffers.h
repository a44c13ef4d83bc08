// A provided-buffer ring: memory from which the kernel takes a buffer for each receive when its bytes are there, so that an
// idle connection holds none. Linux 5.19.
#pragma once

#ifdef __linux__
#include <cstddef>
#include <cstdint>
#include <span>
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

  /// The bytes that a completion with completed::has_buffer brought, valid until the buffer is given back.
  std::span<std::byte> received(const Completion& row) noexcept;
  static std::uint16_t id_of(const Completion& row) noexcept {
    return static_cast<std::uint16_t>(row.flags >> completed::buffer_shift);
  }
  /// Whether the kernel is done with the buffer: what it holds may be given back once it was looked at.
  static bool ended(const Completion& row) noexcept { return (row.flags & completed::buffer_goes_on) == 0; }

  /// The kernel may have the buffer again, from publish() on.
  void give(std::uint16_t id) noexcept;
  void publish() noexcept;

  std::uint32_t count() const noexcept { return count_; }
  std::uint32_t bytes() const noexcept { return bytes_; }

 private:
  Ring* ring_ = nullptr;
  ProvidedBuffer* entries_ = nullptr;
  std::byte* memory_ = nullptr;
  std::size_t length_ = 0;
  std::uint32_t count_ = 0, bytes_ = 0;
  std::uint16_t group_ = 0, tail_ = 0;
  std::vector<std::uint32_t> filled_;  // by buffer, of incremental ones: where the next receive lies
};

}  // namespace uring
#endif
