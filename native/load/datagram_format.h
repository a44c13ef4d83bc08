// What travels in a benchmark datagram. All fields little endian, so both engines and any machine agree.
//
// full    (40 bytes or more)  magic u32, flow u32, sequence u64, intended ns u64, actual ns u64, payload CRC-32C u32,
//                             header CRC-32C u32 (over the 36 bytes before it); payload
// compact (16 to 39 bytes)    flow u32, CRC-32C u32 (over everything else), sequence u64; payload. Times stay at home.
// none    (below 16 bytes)    nothing: a reply is taken for the oldest unanswered datagram of its flow, so loss in the
//                             middle, reordering, duplicates below the sent count and corruption cannot be known.
// The header CRC starts from the run's nonce: a datagram of another run does not verify.
#pragma once

#include <cstdint>
#include <span>

namespace load {

inline constexpr std::size_t kFullHeader = 40;
inline constexpr std::size_t kCompactHeader = 16;

enum class Identity : std::uint8_t { none, compact, full };

/// The richest form a datagram of `size` bytes can carry.
constexpr Identity identity_of(std::size_t size) noexcept {
  return size >= kFullHeader ? Identity::full : size >= kCompactHeader ? Identity::compact : Identity::none;
}
constexpr std::size_t header_bytes(Identity identity) noexcept {
  return identity == Identity::full ? kFullHeader : identity == Identity::compact ? kCompactHeader : 0;
}

/// CRC-32C (Castagnoli), continuing from `crc`; crc32c(0, "123456789") is 0xE3069283.
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::uint8_t> bytes) noexcept;

struct Stamp {
  std::uint32_t flow = 0;
  std::uint64_t sequence = 0;
  std::int64_t intended_ns = 0; ///< when the schedule wanted it sent
  std::int64_t actual_ns = 0;   ///< when it was handed to the kernel
};

/// Writes and verifies datagrams of one run: all have the same size and payload.
class DatagramFormat {
 public:
  /// For a server that echoes. `payload` is what follows the header.
  DatagramFormat(std::size_t size, std::uint32_t nonce, std::span<const std::uint8_t> payload) noexcept;
  /// For any other server: no header, and a reply is intact when it equals `expected` (which outlives this object).
  explicit DatagramFormat(std::span<const std::uint8_t> expected) noexcept;

  Identity identity() const noexcept { return identity_; }

  /// Writes the header over the first bytes of `datagram`, whose payload is already in place.
  void write(std::uint8_t* datagram, const Stamp& stamp) const noexcept;

  enum class Verdict : std::uint8_t {
    intact,
    truncated,        ///< shorter than sent
    corrupt,          ///< a checksum or the length is wrong
  };
  struct Reading {
    Verdict verdict;
    bool identified;  ///< `stamp` can be trusted although the payload may not
    Stamp stamp;      ///< compact: without times
  };
  /// Reads a reply of `length` bytes; `oversized` means that more did not fit the buffer.
  Reading read(const std::uint8_t* datagram, std::size_t length, bool oversized) const noexcept;

 private:
  std::size_t size_;        // of a reply
  std::uint32_t nonce_ = 0;
  Identity identity_ = Identity::none;
  std::uint32_t payload_crc_ = 0;
  std::span<const std::uint8_t> expected_;
};

}  // namespace load
