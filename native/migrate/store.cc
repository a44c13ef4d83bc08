#include "migrate/store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace migrate {
namespace {

constexpr const char* kUnfinished = ".partial";

/// Bytes that the pages of `map` have in the body; beyond the block there must be none.
bool agrees(const PageMap& map, std::size_t pages, std::uint32_t raw) noexcept {
  std::size_t bytes = 0;
  for (std::size_t page = 0; page < kBlockPages; ++page) {
    const PageKind kind = kind_of(map, page);
    if (page >= pages && kind != PageKind::same) return false;
    if (in_body(kind)) bytes += kPage;
  }
  return bytes == raw;
}

}  // namespace

const char* refusal(const FrameHead& head, std::uint64_t bytes) noexcept {
  if (head.mark != kFrameMark) return "what came is no frame";
  if (head.check != check_of(head)) return "the head of a frame is damaged (its checksum differs)";
  if (head.kind == FrameKind::finish) {
    return head.packed == 0 && head.raw == 0 ? nullptr : "a frame that ends it all has a body";
  }
  if (head.kind != FrameKind::block) return "a frame is of an unknown kind";
  if (head.block >= blocks_of(bytes)) return "a frame is of a block beyond the memory";
  const auto codec = static_cast<Codec>(head.codec);
  if (head.codec >= std::size(kCodecs) || !facts_of(codec).travels) return "a frame has an unknown codec";
  if (!missing(codec).empty()) return "a frame has a codec whose library is not here";
  if (!agrees(head.map, block_bytes(bytes, head.block) / kPage, head.raw)) return "a frame's length is not that of its pages";
  const bool fits = codec == Codec::none ? head.packed == head.raw : head.packed < head.raw && head.packed > 0;
  return fits ? nullptr : "a frame's body has a length that cannot be";
}

void Store::abandon() noexcept {
  if (!partial_.empty() && !keep_) unlink(partial_.c_str());
  partial_.clear();
}

std::string Store::open(std::uint64_t bytes, const std::string& path, bool keep) {
  const auto size = static_cast<std::size_t>(bytes);
  path_ = path;
  keep_ = keep;
  const std::string unfinished = path + kUnfinished;
  std::string fault = path.empty() ? Memory::make(size, memory_)
                      : keep       ? Memory::keep(unfinished, size, memory_, found_)
                                   : Memory::create(unfinished, size, memory_);
  if (!fault.empty()) return fault;
  if (!path.empty()) partial_ = unfinished;
  raw_.resize(kBlock);
  next_.resize(kBlock);
  digests_ = found_ ? digests_of(memory_.bytes()) : digests_of_zeros(bytes);
  return "";
}

/// What the pages of a body were.
std::span<const std::byte> Store::older_pages(const PageMap& map, std::span<const std::byte> block) {
  older_.clear();
  for (std::size_t page = 0; page * kPage < block.size(); ++page) {
    const auto bytes = block.subspan(page * kPage, kPage);
    if (in_body(kind_of(map, page))) older_.insert(older_.end(), bytes.begin(), bytes.end());
  }
  return older_;
}

std::string Store::take(const FrameHead& head, std::span<const std::byte> body) {
  if (head.body != digest_of(body)) return "the body of a frame is damaged (its checksum differs)";
  ++counts_.frames;
  return head.kind == FrameKind::finish ? finish(head) : take_block(head, body);
}

std::string Store::take_block(const FrameHead& head, std::span<const std::byte> body) {
  const auto said = [&](const char* what) { return "block " + std::to_string(head.block) + ": " + what; };
  if (digests_[head.block] == head.digest) {
    ++counts_.twice;
    return "";
  }
  if (digests_[head.block] != head.base) return said("the frame builds on bytes that are not here");
  const auto raw = std::span(raw_).first(head.raw);
  const auto codec = static_cast<Codec>(head.codec);
  const auto block = memory_.bytes().subspan(static_cast<std::size_t>(head.block) * kBlock,
                                             block_bytes(memory_.bytes().size(), head.block));
  const process::Nanoseconds began = process::thread_cpu_now();
  const auto older = codec == Codec::zstd_prefix ? older_pages(head.map, block) : std::span<const std::byte>();
  if (!coder_.unpack(codec, body, raw, older)) {
    return said("the body does not come to the bytes that its head tells of");
  }
  counts_.unpack += process::thread_cpu_now() - began;
  counts_.unpacked += raw.size();

  const auto next = std::span(next_).first(block.size());
  std::memcpy(next.data(), block.data(), block.size());
  const std::byte* from = raw.data();
  for (std::size_t page = 0; page * kPage < next.size(); ++page) {
    std::byte* const to = next.data() + page * kPage;
    switch (kind_of(head.map, page)) {
      case PageKind::same: break;
      case PageKind::zero: std::memset(to, 0, kPage); break;
      case PageKind::plain:
        std::memcpy(to, from, kPage);
        from += kPage;
        break;
      case PageKind::changed:
        for (std::size_t i = 0; i < kPage; ++i) to[i] ^= from[i];
        from += kPage;
        break;
    }
  }
  if (digest_of(next) != head.digest) return said("it came to other bytes than the sender has (their checksum differs)");
  for (std::size_t page = 0; page * kPage < next.size(); ++page) {
    if (kind_of(head.map, page) != PageKind::same) {
      std::memcpy(block.data() + page * kPage, next.data() + page * kPage, kPage);
    }
  }
  digests_[head.block] = head.digest;
  return "";
}

std::string Store::finish(const FrameHead& head) {
  whole_ = digest_of(memory_.bytes());
  if (whole_ != head.digest) return "all blocks are here, but the whole is not what the sender has (its checksum differs)";
  if (!partial_.empty()) {
    if (std::rename(partial_.c_str(), path_.c_str()) != 0) {
      return "cannot rename '" + partial_ + "': " + std::strerror(errno);
    }
    partial_.clear();
  }
  finished_ = true;
  return "";
}

}  // namespace migrate
