// What travels between the two ends of a migration. A connection begins with a Hello, which is answered on the first of them by a
// Greeting and what it announces; then frames go one way, a FrameHead and its body each, and an Answer to every one of them
// goes the other way. Numbers are little-endian.
//
// A frame tells what became of one block of memory since the receiver was last told of it. Before the first frame its memory is
// zeros, so that the first pass is no special case: what is zero has not changed. Where it is not zeros, because it is what an
// earlier sender did not finish, the greeting says by their digests what blocks there are. A frame names the state that it
// builds on (`base`) and the one that it leads to (`digest`), so that one that comes twice is known as such, and none is built
// on anything else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "transfer/xxh64.h"

namespace migrate {

inline constexpr std::size_t kPage = 4096;
inline constexpr std::size_t kBlock = 512 << 10;
inline constexpr std::size_t kBlockPages = kBlock / kPage;
inline constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 40;
inline constexpr std::uint32_t kMostConnections = 64;

inline constexpr std::uint64_t kHelloMark = 0x316f6c6c65486264;  // "dbHello1"
inline constexpr std::uint32_t kGreetingMark = 0x31476264;       // "dbG1"
inline constexpr std::uint32_t kFrameMark = 0x31466264;          // "dbF1"
inline constexpr std::uint32_t kAnswerMark = 0x31416264;         // "dbA1"

/// What a page of a block has become. Pages that are `plain` or `changed` are in the body, in their order.
enum class PageKind : std::uint8_t {
  same,     ///< what it was
  zero,     ///< zeros
  plain,    ///< its bytes
  changed,  ///< its bytes, exclusive-or with what it was: zeros where nothing changed
};

inline bool in_body(PageKind kind) noexcept { return kind == PageKind::plain || kind == PageKind::changed; }

/// Two bits for each page, the first page lowest.
using PageMap = std::array<std::uint8_t, kBlockPages / 4>;

inline PageKind kind_of(const PageMap& map, std::size_t page) noexcept {
  return static_cast<PageKind>(map[page / 4] >> (page % 4 * 2) & 3);
}
inline void set_kind(PageMap& map, std::size_t page, PageKind kind) noexcept {
  const unsigned shift = page % 4 * 2;
  map[page / 4] = static_cast<std::uint8_t>((map[page / 4] & ~(3u << shift)) | static_cast<unsigned>(kind) << shift);
}

/// `check` of a message covers what is before it; it must be the last field.
struct Hello {
  std::uint64_t mark = kHelloMark;
  std::uint64_t session = 0;     ///< drawn by the sender: a connection that takes the place of a lost one has the same
  std::uint64_t bytes = 0;       ///< of memory, whole pages
  std::uint32_t connection = 0;  ///< 0 .. connections - 1
  std::uint32_t connections = 0;
  std::uint64_t check = 0;
};
static_assert(sizeof(Hello) == 40);

/// Behind it come `blocks` XXH64, one for each block of the memory that the receiver has.
struct Greeting {
  std::uint32_t mark = kGreetingMark;
  std::uint32_t blocks = 0;  ///< all, or 0: its memory is zeros
  std::uint64_t list = 0;    ///< XXH64 of what comes behind
  std::uint64_t check = 0;
};
static_assert(sizeof(Greeting) == 24);

enum class FrameKind : std::uint8_t {
  block,
  finish,  ///< there is no more; `digest` is that of the whole memory
};

struct FrameHead {
  std::uint32_t mark = kFrameMark;
  FrameKind kind = FrameKind::block;
  std::uint8_t codec = 0;    ///< of the body: a Codec
  std::uint16_t unused = 0;
  std::uint32_t block = 0;
  std::uint32_t raw = 0;     ///< bytes of the body once decoded: a page for each that is plain or changed
  std::uint32_t packed = 0;  ///< bytes of the body as it follows
  std::uint32_t unused_too = 0;
  std::uint64_t base = 0;    ///< XXH64 of the block as the receiver has it
  std::uint64_t digest = 0;  ///< XXH64 of the block afterwards
  std::uint64_t body = 0;    ///< XXH64 of the body as it follows
  PageMap map{};
  std::uint64_t check = 0;
};
static_assert(sizeof(FrameHead) == 88);

enum class Verdict : std::uint32_t { taken, refused };

struct Answer {
  std::uint32_t mark = kAnswerMark;
  std::uint32_t block = 0;  ///< that of the frame
  FrameKind kind = FrameKind::block;
  std::uint8_t unused[3] = {};
  Verdict verdict = Verdict::taken;
  std::uint64_t digest = 0;  ///< of what the receiver has there now
  std::uint64_t check = 0;
};
static_assert(sizeof(Answer) == 32);

inline std::uint64_t digest_of(std::span<const std::byte> bytes) noexcept {
  transfer::Xxh64 hash;
  hash.update(bytes);
  return hash.digest();
}

template <class Message>
std::uint64_t check_of(const Message& message) noexcept {
  static_assert(offsetof(Message, check) + sizeof message.check == sizeof message);
  return digest_of(std::as_bytes(std::span(&message, 1)).first(offsetof(Message, check)));
}
template <class Message>
Message sealed(Message message) noexcept {
  message.check = check_of(message);
  return message;
}

/// Blocks of a memory of so many bytes.
inline std::size_t blocks_of(std::uint64_t bytes) noexcept { return static_cast<std::size_t>((bytes + kBlock - 1) / kBlock); }
/// Bytes of a block: all but the last one are whole.
inline std::size_t block_bytes(std::uint64_t bytes, std::size_t block) noexcept {
  const std::uint64_t begin = static_cast<std::uint64_t>(block) * kBlock;
  return static_cast<std::size_t>(bytes - begin < kBlock ? bytes - begin : kBlock);
}

/// Of every block.
inline std::vector<std::uint64_t> digests_of(std::span<const std::byte> memory) {
  std::vector<std::uint64_t> digests(blocks_of(memory.size()));
  for (std::size_t block = 0; block < digests.size(); ++block) {
    digests[block] = digest_of(memory.subspan(block * kBlock, block_bytes(memory.size(), block)));
  }
  return digests;
}
/// The same of so many zeros: all but the last one are of one length.
inline std::vector<std::uint64_t> digests_of_zeros(std::uint64_t bytes) {
  const std::vector<std::byte> zeros(block_bytes(bytes, 0));
  std::vector<std::uint64_t> digests(blocks_of(bytes), digest_of(zeros));
  digests.back() = digest_of(std::span(zeros).first(block_bytes(bytes, digests.size() - 1)));
  return digests;
}

}  // namespace migrate
