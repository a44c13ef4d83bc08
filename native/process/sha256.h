// SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), by the processor's own instructions where it has them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace process {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::span<const std::uint8_t> bytes);
/// The same as on processors without such instructions.
Digest sha256_plain(std::span<const std::uint8_t> bytes);

/// `rounds` times over: the SHA-256 of the 32 bytes that `digest` has, into `digest`.
void chain_sha256(Digest& digest, std::uint64_t rounds) noexcept;

/// One key of HMAC-SHA256, of any length. What every message begins with is hashed here, once.
class HmacKey {
 public:
  explicit HmacKey(std::span<const std::uint8_t> key) noexcept;
  Digest mac(std::span<const std::uint8_t> bytes) const noexcept;

 private:
  std::array<std::uint32_t, 8> inner_;
  std::array<std::uint32_t, 8> outer_;
};

/// Lower-case hexadecimal.
std::string hex(const Digest& digest);

}  // namespace process
