// XXH64, the 64-bit checksum of Yann Collet (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md), with seed 0:
// as fast as memory, so that a stream can be checked end to end while its cost is measured. It finds what went wrong by
// accident; against somebody who means it, it protects nothing.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace transfer {

class Xxh64 {
 public:
  void update(std::span<const std::byte> bytes) noexcept {
    if (bytes.empty()) return;  // there may be no address to read from
    length_ += bytes.size();
    if (held_ > 0) {
      const std::size_t taken = std::min(bytes.size(), kBlock - held_);
      std::memcpy(block_.data() + held_, bytes.data(), taken);
      held_ += taken;
      bytes = bytes.subspan(taken);
      if (held_ < kBlock) return;
      mix(block_.data(), kBlock);
    }
    const std::size_t whole = bytes.size() / kBlock * kBlock;
    mix(bytes.data(), whole);
    held_ = bytes.size() - whole;
    if (held_ > 0) std::memcpy(block_.data(), bytes.data() + whole, held_);
  }

  /// Of everything so far; more may follow.
  std::uint64_t digest() const noexcept {
    std::uint64_t hash = kPrime5;
    if (length_ >= kBlock) {
      hash = std::rotl(lanes_[0], 1) + std::rotl(lanes_[1], 7) + std::rotl(lanes_[2], 12) + std::rotl(lanes_[3], 18);
      for (const std::uint64_t lane : lanes_) hash = (hash ^ round(0, lane)) * kPrime1 + kPrime4;
    }
    hash += length_;
    const std::byte* at = block_.data();
    std::size_t left = held_;
    for (; left >= 8; at += 8, left -= 8) hash = std::rotl(hash ^ round(0, word<std::uint64_t>(at)), 27) * kPrime1 + kPrime4;
    for (; left >= 4; at += 4, left -= 4) hash = std::rotl(hash ^ word<std::uint32_t>(at) * kPrime1, 23) * kPrime2 + kPrime3;
    for (; left > 0; ++at, --left) hash = std::rotl(hash ^ static_cast<std::uint64_t>(*at) * kPrime5, 11) * kPrime1;
    hash = (hash ^ hash >> 33) * kPrime2;
    hash = (hash ^ hash >> 29) * kPrime3;
    return hash ^ hash >> 32;
  }

 private:
  static constexpr std::size_t kBlock = 32;
  static constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87;
  static constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4F;
  static constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9;
  static constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63;
  static constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5;

  /// A little-endian number, as the algorithm wants it; every machine that is built for is one.
  template <class Number>
  static std::uint64_t word(const std::byte* at) noexcept {
    static_assert(std::endian::native == std::endian::little);
    Number number;
    std::memcpy(&number, at, sizeof number);
    return number;
  }

  static std::uint64_t round(std::uint64_t lane, std::uint64_t input) noexcept {
    return std::rotl(lane + input * kPrime2, 31) * kPrime1;
  }

  void mix(const std::byte* at, std::size_t size) noexcept {
    for (const std::byte* const end = at + size; at != end; at += kBlock) {
      for (std::size_t i = 0; i < lanes_.size(); ++i) lanes_[i] = round(lanes_[i], word<std::uint64_t>(at + 8 * i));
    }
  }

  std::array<std::uint64_t, 4> lanes_{kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1};
  std::array<std::byte, kBlock> block_{};
  std::size_t held_ = 0;
  std::uint64_t length_ = 0;
};

}  // namespace transfer
