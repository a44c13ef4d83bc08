// Compression by libraries that a machine may have. They are looked for when they are first asked for, so that one build serves
// machines with and without them; what is called is in the part of each library that stays as it is between its versions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace migrate {

/// `zstd_prefix`: zstd that has older bytes before the new ones to refer to (ZSTD_CCtx_refPrefix).
enum class Codec : std::uint8_t { none, zstd, lz4, gzip, snappy, zstd_prefix };
inline constexpr std::string_view kCodecs[] = {"none", "zstd", "lz4", "gzip", "snappy", "zstd-prefix"};

struct CodecFacts {
  int lowest = 0;  ///< levels; all 0: it has none
  int highest = 0;
  int usual = 0;
  bool travels = false;  ///< may be that of a frame
};
CodecFacts facts_of(Codec codec) noexcept;

/// Why it is not to be had here, and how it would be; empty where it is.
const std::string& missing(Codec codec);
/// The library's own word; empty where there is none.
std::string version_of(Codec codec);

/// What a thread compresses with.
class Coder {
 public:
  Coder() = default;
  Coder(const Coder&) = delete;
  Coder& operator=(const Coder&) = delete;
  ~Coder();

  /// Bytes written; 0 where they are more than `into` has room for. `older`: what `zstd_prefix` may refer to.
  std::size_t pack(Codec codec, int level, std::span<const std::byte> from, std::span<std::byte> into,
                   std::span<const std::byte> older = {}) noexcept;
  /// Whether `from` comes to exactly as many bytes as `into` has; nothing is ever written behind them. `older` as it was packed.
  bool unpack(Codec codec, std::span<const std::byte> from, std::span<std::byte> into,
              std::span<const std::byte> older = {}) noexcept;

 private:
  void* zstd_packer_ = nullptr;
  void* zstd_unpacker_ = nullptr;
};

}  // namespace migrate
