#include "load/datagram_format.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <array>
#include <bit>
#include <cstring>

namespace load {

namespace {

constexpr std::uint32_t kMagic = 0x31424744;  // "DGB1"
constexpr std::uint32_t kPolynomial = 0x82F63B78;

constexpr std::array<std::uint32_t, 256> kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    table[i] = value;
  }
  return table;
}();

std::uint32_t update_table(std::uint32_t crc, const std::uint8_t* bytes, std::size_t length) noexcept {
  while (length-- > 0) crc = (crc >> 8) ^ kTable[(crc ^ *bytes++) & 0xff];
  return crc;
}

#if defined(__x86_64__)
#if defined(__clang__)
#define CRC_TARGET "crc32"
#else
#define CRC_TARGET "sse4.2"  // g++ before 11 knows no narrower one
#endif
__attribute__((target(CRC_TARGET))) std::uint32_t update_hardware(std::uint32_t crc, const std::uint8_t* bytes,
                                                                  std::size_t length) noexcept {
  std::uint64_t wide = crc;
  for (; length >= 8; bytes += 8, length -= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  while (length-- > 0) narrow = __builtin_ia32_crc32qi(narrow, *bytes++);
  return narrow;
}
// Asked of the processor itself: __builtin_cpu_supports needs a runtime that not every cross compiler has.
const bool kHardware = [] {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_SSE4_2) != 0;
}();
#endif

std::uint32_t update(std::uint32_t crc, const std::uint8_t* bytes, std::size_t length) noexcept {
#if defined(__x86_64__)
  if (kHardware) return update_hardware(crc, bytes, length);
#endif
  return update_table(crc, bytes, length);
}

template <class Word>
Word swap_if_big(Word value) noexcept {
  if constexpr (std::endian::native == std::endian::big) {
    return sizeof(Word) == 8 ? static_cast<Word>(__builtin_bswap64(value)) : static_cast<Word>(__builtin_bswap32(value));
  }
  return value;
}
template <class Word>
void put(std::uint8_t* at, Word value) noexcept {
  value = swap_if_big(value);
  std::memcpy(at, &value, sizeof value);
}
template <class Word>
Word get(const std::uint8_t* at) noexcept {
  Word value;
  std::memcpy(&value, at, sizeof value);
  return swap_if_big(value);
}

/// CRC of a compact datagram: everything but the CRC field itself.
std::uint32_t compact_crc(std::uint32_t nonce, const std::uint8_t* datagram, std::size_t length) noexcept {
  const std::uint32_t crc = crc32c(nonce, {datagram, 4});
  return crc32c(crc, {datagram + 8, length - 8});
}

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::uint8_t> bytes) noexcept {
  return ~update(~crc, bytes.data(), bytes.size());
}

DatagramFormat::DatagramFormat(std::size_t size, std::uint32_t nonce, std::span<const std::uint8_t> payload) noexcept
    : size_(size), nonce_(nonce), identity_(identity_of(size)), payload_crc_(crc32c(0, payload)) {}

DatagramFormat::DatagramFormat(std::span<const std::uint8_t> expected) noexcept
    : size_(expected.size()), expected_(expected) {}

void DatagramFormat::write(std::uint8_t* datagram, const Stamp& stamp) const noexcept {
  if (identity_ == Identity::full) {
    put(datagram, kMagic);
    put(datagram + 4, stamp.flow);
    put(datagram + 8, stamp.sequence);
    put(datagram + 16, static_cast<std::uint64_t>(stamp.intended_ns));
    put(datagram + 24, static_cast<std::uint64_t>(stamp.actual_ns));
    put(datagram + 32, payload_crc_);
    put(datagram + 36, crc32c(nonce_, {datagram, 36}));
  } else if (identity_ == Identity::compact) {
    put(datagram, stamp.flow);
    put(datagram + 8, stamp.sequence);
    put(datagram + 4, compact_crc(nonce_, datagram, size_));
  }
}

DatagramFormat::Reading DatagramFormat::read(const std::uint8_t* datagram, std::size_t length,
                                             bool oversized) const noexcept {
  const bool short_of = length < size_;
  Reading reading{short_of ? Verdict::truncated : Verdict::corrupt, false, {}};
  const bool exact = length == size_ && !oversized;
  if (identity_ == Identity::none) {
    // Compared only when it is as long: what lies behind a shorter one is not the reply's.
    const bool same = exact && (expected_.empty() || std::memcmp(datagram, expected_.data(), length) == 0);
    if (same) reading.verdict = Verdict::intact;
  } else if (identity_ == Identity::compact) {
    if (!exact || get<std::uint32_t>(datagram + 4) != compact_crc(nonce_, datagram, length)) return reading;
    reading = {Verdict::intact, true, {get<std::uint32_t>(datagram), get<std::uint64_t>(datagram + 8), 0, 0}};
  } else {
    if (length < kFullHeader || get<std::uint32_t>(datagram) != kMagic ||
        get<std::uint32_t>(datagram + 36) != crc32c(nonce_, {datagram, 36})) {
      return reading;
    }
    reading.identified = true;
    reading.stamp = {get<std::uint32_t>(datagram + 4), get<std::uint64_t>(datagram + 8),
                     static_cast<std::int64_t>(get<std::uint64_t>(datagram + 16)),
                     static_cast<std::int64_t>(get<std::uint64_t>(datagram + 24))};
    if (exact && crc32c(0, {datagram + kFullHeader, length - kFullHeader}) == payload_crc_) {
      reading.verdict = Verdict::intact;
    }
  }
  return reading;
}

}  // namespace load
