#include "migrate/source.h"

#include <algorithm>
#include <cstring>

namespace migrate {
namespace {

bool all_zero(std::span<const std::byte> bytes) noexcept {
  return bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

/// The bytes that differ, exclusive-or; how many they are.
std::size_t difference(std::span<const std::byte> now, std::span<const std::byte> before,
                       std::span<std::byte> into) noexcept {
  std::size_t differing = 0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    into[i] = now[i] ^ before[i];
    differing += into[i] != std::byte{0};
  }
  return differing;
}

/// Fills `map` and the body; returns the body's length. Where it is not `known` what was before, all is new. `older` gets what
/// the pages of the body were, which then are told as they are; where it is empty, as their differences. `referring`: whether
/// any of them was more than zeros.
std::size_t compare(std::span<const std::byte> now, std::span<const std::byte> before, bool known,
                    std::span<std::byte> body, std::span<std::byte> older, bool& referring, PageMap& map,
                    PageCounts& counts) noexcept {
  std::size_t raw = 0;
  for (std::size_t page = 0; page * kPage < now.size(); ++page) {
    const auto bytes = now.subspan(page * kPage, kPage);
    const auto old = before.subspan(page * kPage, kPage);
    if (known && std::memcmp(bytes.data(), old.data(), kPage) == 0) {
      ++counts.same;
      continue;
    }
    if (all_zero(bytes)) {
      set_kind(map, page, PageKind::zero);
      ++counts.zero;
      continue;
    }
    const auto into = body.subspan(raw, kPage);
    if (!older.empty()) std::memcpy(older.data() + raw, old.data(), kPage);
    raw += kPage;
    const bool nothing = !known || all_zero(old);
    referring = referring || !nothing;
    // Of a page that has become another one, the difference has more in it than the page.
    if (nothing || !older.empty() || difference(bytes, old, into) > kPage / 2) {
      std::memcpy(into.data(), bytes.data(), kPage);
      set_kind(map, page, PageKind::plain);
      ++counts.plain;
    } else {
      set_kind(map, page, PageKind::changed);
      ++counts.changed;
    }
  }
  return raw;
}

std::vector<std::byte> joined(FrameHead head, std::span<const std::byte> body) {
  head.packed = static_cast<std::uint32_t>(body.size());
  head.body = digest_of(body);
  head = sealed(head);
  std::vector<std::byte> bytes(sizeof head + body.size());
  std::memcpy(bytes.data(), &head, sizeof head);
  if (!body.empty()) std::memcpy(bytes.data() + sizeof head, body.data(), body.size());
  return bytes;
}

}  // namespace

std::string Source::open(std::span<const std::byte> memory) {
  memory_ = memory;
  if (std::string fault = Memory::make(memory.size(), told_); !fault.empty()) return fault;
  digests_ = digests_of_zeros(memory.size());
  unknown_.assign(digests_.size(), 0);
  return "";
}

void Source::begin_with(std::span<const std::uint64_t> digests) {
  for (std::size_t block = 0; block < digests.size(); ++block) {
    unknown_[block] = digests[block] != digests_[block];
    digests_[block] = digests[block];
  }
}

Frame Source::frame(std::uint32_t block, Choice choice, Workbench& bench) {
  const process::Nanoseconds began = process::thread_cpu_now();
  const std::size_t at = static_cast<std::size_t>(block) * kBlock;
  const std::size_t size = block_bytes(memory_.size(), block);
  const auto now = std::span(bench.now).first(size);
  const auto told = told_.bytes().subspan(at, size);
  copy_live(now, memory_.subspan(at, size));

  Frame frame{.block = block, .choice = choice};
  FrameHead head{.block = block, .base = digests_[block]};
  const bool known = unknown_[block] == 0;
  unknown_[block] = 0;
  if (!known && digest_of(now) == digests_[block]) {
    // The receiver has it already.
    std::memcpy(told.data(), now.data(), size);
    frame.pages.same = size / kPage;
    frame.cpu = process::thread_cpu_now() - began;
    return frame;
  }
  const auto older = std::span(bench.older).first(choice.codec == Codec::zstd_prefix ? kBlock : 0);
  bool referring = false;
  frame.raw = compare(now, told, known, bench.body, older, referring, head.map, frame.pages);
  const Codec codec = choice.codec == Codec::zstd_prefix && !referring ? Codec::zstd : choice.codec;
  if (frame.pages.zero + frame.pages.plain + frame.pages.changed > 0) {
    head.raw = static_cast<std::uint32_t>(frame.raw);
    head.digest = digests_[block] = digest_of(now);
    for (std::size_t page = 0; page * kPage < size; ++page) {
      // What is the same stays unwritten, so that zeros take no memory here.
      if (kind_of(head.map, page) != PageKind::same) {
        std::memcpy(told.data() + page * kPage, now.data() + page * kPage, kPage);
      }
    }
    std::span<const std::byte> body = std::span(bench.body).first(frame.raw);
    if (choice.codec != Codec::none && frame.raw > 0) {
      const process::Nanoseconds packing = process::thread_cpu_now();
      const std::size_t packed =
          bench.coder.pack(codec, choice.level, body, std::span(bench.packed).first(frame.raw - 1),
                           std::span(bench.older).first(older.empty() ? 0 : frame.raw));
      frame.pack = process::thread_cpu_now() - packing;
      if (packed > 0) {
        head.codec = static_cast<std::uint8_t>(codec);
        body = std::span(bench.packed).first(packed);
      }
    }
    frame.bytes = joined(head, body);
  }
  frame.cpu = process::thread_cpu_now() - began;
  return frame;
}

Frame Source::finish(std::uint64_t digest) const {
  Frame frame{.kind = FrameKind::finish};
  frame.bytes = joined(FrameHead{.kind = FrameKind::finish, .digest = digest}, {});
  return frame;
}

}  // namespace migrate
