#include "process/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace process {
namespace {

alignas(16) constexpr std::array<std::uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

using State = std::array<std::uint32_t, 8>;
constexpr State kInitial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
constexpr std::size_t kBlock = 64;
using TakeBlock = void (*)(State& state, const std::uint8_t* block) noexcept;

void take_block_plain(State& state, const std::uint8_t* block) noexcept {
  std::array<std::uint32_t, 64> w;
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = std::uint32_t{block[4 * i]} << 24 | std::uint32_t{block[4 * i + 1]} << 16 |
           std::uint32_t{block[4 * i + 2]} << 8 | block[4 * i + 3];
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
  }
  const State add = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state[i] += add[i];
}

#if defined(__x86_64__)

__m128i load(const void* from) noexcept { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }

// The instructions want the state as the words ABEF and CDGH, highest first, and take two rounds each; the schedule of
// words goes round in four registers of four.
[[gnu::target("sha,sse4.1,ssse3")]] void take_block_sha(State& state, const std::uint8_t* block) noexcept {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i badc = _mm_shuffle_epi32(load(&state[0]), 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(load(&state[4]), 0x1b);
  __m128i abef = _mm_alignr_epi8(badc, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, badc, 0xf0);
  const __m128i abef_before = abef;
  const __m128i cdgh_before = cdgh;

  __m128i words[4];
  for (int i = 0; i < 4; ++i) words[i] = _mm_shuffle_epi8(load(block + 16 * i), big_endian);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    const __m128i now = words[i & 3];
    __m128i keyed = _mm_add_epi32(now, load(&kRound[static_cast<std::size_t>(4 * i)]));
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, keyed);
    keyed = _mm_shuffle_epi32(keyed, 0x0e);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, keyed);
    if (i >= 12) continue;
    const __m128i second = words[(i + 1) & 3];
    const __m128i third = words[(i + 2) & 3];
    const __m128i last = words[(i + 3) & 3];
    const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, second), _mm_alignr_epi8(last, third, 4));
    words[i & 3] = _mm_sha256msg2_epu32(sum, last);
  }
  abef = _mm_add_epi32(abef, abef_before);
  cdgh = _mm_add_epi32(cdgh, cdgh_before);
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&state[0]), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&state[4]), _mm_alignr_epi8(dchg, feba, 8));
}

bool has_instructions() noexcept {
  constexpr unsigned kSsse3 = 1u << 9, kSse41 = 1u << 19, kSha = 1u << 29;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kSsse3) == 0 || (c & kSse41) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & kSha) != 0;
}

const TakeBlock take_block = has_instructions() ? take_block_sha : take_block_plain;

#else

constexpr TakeBlock take_block = take_block_plain;

#endif

void write_words(const State& state, std::uint8_t* to) noexcept {
  for (const std::uint32_t word : state) {
    for (int shift = 24; shift >= 0; shift -= 8) *to++ = static_cast<std::uint8_t>(word >> shift);
  }
}

/// Ends a last block: the message has `bytes` bytes, and what of it is not taken yet fits before the length.
void write_length(std::uint8_t* block, std::uint64_t bytes) noexcept {
  for (std::size_t i = 0; i < 8; ++i) block[kBlock - 1 - i] = static_cast<std::uint8_t>(bytes * 8 >> 8 * i);
}

/// @param before bytes that `state` has taken already, whole blocks
Digest digest_by(TakeBlock take, std::span<const std::uint8_t> bytes, State state = kInitial,
                 std::uint64_t before = 0) noexcept {
  std::size_t at = 0;
  for (; bytes.size() - at >= kBlock; at += kBlock) take(state, bytes.data() + at);
  std::array<std::uint8_t, kBlock> last{};
  const std::span rest = bytes.subspan(at);
  std::copy(rest.begin(), rest.end(), last.begin());
  last[rest.size()] = 0x80;
  if (rest.size() >= kBlock - 8) {
    take(state, last.data());
    last = {};
  }
  write_length(last.data(), before + bytes.size());
  take(state, last.data());
  Digest digest;
  write_words(state, digest.data());
  return digest;
}

}  // namespace

Digest sha256(std::span<const std::uint8_t> bytes) { return digest_by(take_block, bytes); }

Digest sha256_plain(std::span<const std::uint8_t> bytes) { return digest_by(take_block_plain, bytes); }

HmacKey::HmacKey(std::span<const std::uint8_t> key) noexcept : inner_(kInitial), outer_(kInitial) {
  constexpr std::uint8_t kInner = 0x36, kOuter = 0x5c;
  std::array<std::uint8_t, kBlock> block{};
  if (key.size() <= kBlock) {
    std::copy(key.begin(), key.end(), block.begin());
  } else {
    const Digest shorter = sha256(key);
    std::copy(shorter.begin(), shorter.end(), block.begin());
  }
  for (std::uint8_t& byte : block) byte ^= kInner;
  take_block(inner_, block.data());
  for (std::uint8_t& byte : block) byte ^= kInner ^ kOuter;
  take_block(outer_, block.data());
}

Digest HmacKey::mac(std::span<const std::uint8_t> bytes) const noexcept {
  return digest_by(take_block, digest_by(take_block, bytes, inner_, kBlock), outer_, kBlock);
}

void chain_sha256(Digest& digest, std::uint64_t rounds) noexcept {
  std::array<std::uint8_t, kBlock> block{};
  std::copy(digest.begin(), digest.end(), block.begin());
  block[digest.size()] = 0x80;
  write_length(block.data(), digest.size());
  for (; rounds > 0; --rounds) {
    State state = kInitial;
    take_block(state, block.data());
    write_words(state, block.data());
  }
  std::copy_n(block.begin(), digest.size(), digest.begin());
}

std::string hex(const Digest& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace process
