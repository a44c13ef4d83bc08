#ifdef __linux__
#include "uring/buffers.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

namespace uring {

int BufferRing::open(Ring& ring, std::uint16_t group, std::uint32_t count, std::uint32_t bytes, bool incremental) noexcept {
  close();
  // One mapping: the ring, which has to begin on a page, then the buffers.
  constexpr std::size_t kPage = 65536;  // the largest that Linux has
  const std::size_t ring_bytes = (count * sizeof(ProvidedBuffer) + kPage - 1) / kPage * kPage;
  length_ = ring_bytes + std::size_t{count} * bytes;
  void* const address = ::mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) return errno;
  entries_ = static_cast<ProvidedBuffer*>(address);
  memory_ = static_cast<std::byte*>(address) + ring_bytes;
  BufferRingRegistration registration = {
      .address = reinterpret_cast<std::uint64_t>(entries_),
      .entries = count,
      .group = group,
      .flags = incremental ? kIncrementalBuffers : std::uint16_t{0},
      .reserved = {},
  };
  if (const int result = ring.register_with(registering::buffer_ring, &registration, 1); result < 0) {
    ::munmap(address, length_);
    entries_ = nullptr;
    return -result;
  }
  ring_ = &ring;
  count_ = count;
  bytes_ = bytes;
  group_ = group;
  tail_ = 0;
  filled_.assign(incremental ? count : 0, 0);
  places_.assign(count, 0);
  for (std::uint32_t id = 0; id < count; ++id) give(static_cast<std::uint16_t>(id));
  publish();
  return 0;
}

void BufferRing::close() noexcept {
  if (entries_ == nullptr) return;
  BufferRingRegistration registration = {};
  registration.group = group_;
  ring_->register_with(registering::unregister_buffer_ring, &registration, 1);
  ::munmap(entries_, length_);
  entries_ = nullptr;
}

// What a receive put into a buffer, at most `most` bytes: no more than the kernel was told, or told itself, that it has room
// for. It makes the first buffer of a bundle shorter when it knows that less is there.
std::span<std::byte> BufferRing::fill(std::uint16_t id, std::uint32_t most) noexcept {
  std::byte* const at = memory_ + std::size_t{id} * bytes_;
  if (filled_.empty()) return {at, std::min(most, entries_[places_[id] & (count_ - 1)].length)};
  const std::uint32_t from = filled_[id], length = std::min(most, bytes_ - from);
  filled_[id] += length;
  return {at + from, length};
}

std::optional<std::pair<std::uint16_t, std::uint16_t>> BufferRing::holding(
    std::span<const std::byte> bytes) const noexcept {
  const auto from = reinterpret_cast<std::uintptr_t>(memory_), at = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::size_t all = std::size_t{count_} * bytes_;
  if (bytes.empty() || at < from || at - from >= all || bytes.size() > all - (at - from)) return std::nullopt;
  return std::pair{static_cast<std::uint16_t>((at - from) / bytes_),
                   static_cast<std::uint16_t>((at - from + bytes.size() - 1) / bytes_)};
}

void BufferRing::give(std::uint16_t id) noexcept {
  if (!filled_.empty()) filled_[id] = 0;
  places_[id] = tail_;
  ProvidedBuffer& entry = entries_[tail_++ & (count_ - 1)];
  entry.address = reinterpret_cast<std::uint64_t>(memory_ + std::size_t{id} * bytes_);
  entry.length = bytes_;
  entry.id = id;  // and never `tail`, which in the first entry is the ring's
}

void BufferRing::publish() noexcept { __atomic_store_n(&entries_->tail, tail_, __ATOMIC_RELEASE); }

}  // namespace uring
#endif
