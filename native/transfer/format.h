// What travels on a stream: a Head, bytes of the sender's own choice, and a Tail, after which the sender says no more. The
// receiver knows the tail by the end of the stream, so that bytes can go from a file to the socket as they are. It answers
// with a Tail of its own count and ends the stream. Numbers are little-endian.
#pragma once

#include <cstdint>

namespace transfer {

inline constexpr std::uint64_t kHeadMark = 0x31646e6573786264;    // "dbxsend1"
inline constexpr std::uint64_t kTailMark = 0x316c696174786264;    // "dbxtail1"
inline constexpr std::uint64_t kAnswerMark = 0x3177736e61786264;  // "dbxansw1"
inline constexpr std::uint32_t kMostStreams = 1024;

struct Head {
  std::uint64_t mark = kHeadMark;
  std::uint64_t transfer = 0;  ///< drawn by the sender: streams of one transfer carry the same
  std::uint32_t stream = 0;    ///< 0 .. streams - 1
  std::uint32_t streams = 0;
  std::uint32_t checked = 0;  ///< 1: the digests of the tails are those of the bytes; 0: they are 0
  std::uint32_t resting = 0;  ///< 1: some of the streams may send nothing for a while, and all but one for ever
};
static_assert(sizeof(Head) == 32);

struct Tail {
  std::uint64_t mark = kTailMark;
  std::uint64_t bytes = 0;   ///< between head and tail
  std::uint64_t digest = 0;  ///< XXH64 of them
};
static_assert(sizeof(Tail) == 24);

}  // namespace transfer
