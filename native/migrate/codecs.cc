#include "migrate/codecs.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include "migrate/store.h"
#include "migrate/xbzrle.h"
#include "process/json_line.h"

namespace migrate {
namespace {

using process::JsonLine;
using process::Nanoseconds;
using process::thread_cpu_now;

/// What is compressed at once: the published comparison's piece, and what travels.
constexpr std::size_t kPieces[] = {1 << 20, kBlock};
/// Of the same work: the fastest counts, because what disturbs only slows down.
constexpr int kRepetitions = 3;

struct Columns {
  Codec codec;
  int level;
};
constexpr Columns kColumns[] = {{Codec::none, 0}, {Codec::snappy, 0}, {Codec::lz4, 1},  {Codec::lz4, 9},  {Codec::gzip, 6},
                                {Codec::gzip, 9},   {Codec::zstd, 1}, {Codec::zstd, 3}, {Codec::zstd, 9}};

struct Figures {
  std::uint64_t packed = 0;
  Nanoseconds pack = 0;
  Nanoseconds unpack = 0;
  bool exact = true;
};

Figures measure(std::span<const std::byte> memory, const Columns& column, std::size_t piece) {
  Figures best;
  Coder coder;
  std::vector<std::byte> packed(2 * piece), unpacked(piece);
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    Figures now;
    for (std::size_t at = 0; at < memory.size(); at += piece) {
      const auto from = memory.subspan(at, std::min(piece, memory.size() - at));
      const Nanoseconds began = thread_cpu_now();
      const std::size_t size = coder.pack(column.codec, column.level, from, packed);
      const Nanoseconds between = thread_cpu_now();
      const auto into = std::span(unpacked).first(from.size());
      const bool came = coder.unpack(column.codec, std::span(packed).first(size), into);
      now.unpack += thread_cpu_now() - between;
      now.pack += between - began;
      now.packed += size;
      now.exact = now.exact && size > 0 && came && std::equal(into.begin(), into.end(), from.begin());
    }
    const bool first = repetition == 0;
    best = {now.packed, first ? now.pack : std::min(best.pack, now.pack),
            first ? now.unpack : std::min(best.unpack, now.unpack), best.exact && now.exact};
  }
  return best;
}

std::string columns(std::span<const std::byte> memory, std::optional<Codec> only) {
  std::string list;
  for (const std::size_t piece : kPieces) {
    for (const Columns& column : kColumns) {
      if (only.value_or(column.codec) != column.codec) continue;
      JsonLine one;
      one.string("codec", kCodecs[static_cast<std::size_t>(column.codec)]).number("level", column.level).number("piece", piece);
      if (const std::string& why = missing(column.codec); !why.empty()) {
        one.string("missing", why);
      } else {
        const Figures figures = measure(memory, column, piece);
        one.string("version", version_of(column.codec))
            .number("packed", figures.packed)
            .number("packNs", figures.pack)
            .number("unpackNs", figures.unpack)
            .boolean("exact", figures.exact);
      }
      list += (list.empty() ? "" : ",") + one.text();
    }
  }
  return "[" + list + "]";
}

constexpr Choice kSecondPass[] = {{Codec::none, 0}, {Codec::lz4, 1},         {Codec::zstd, 1},
                                  {Codec::zstd, 3}, {Codec::zstd_prefix, 1}, {Codec::zstd_prefix, 3}};

/// Of one way to tell what has changed. Both have all of it, `unpack` included, in CPU time.
struct Second {
  std::uint64_t wire = 0;
  Nanoseconds make = 0;
  Nanoseconds take = 0;
  bool exact = true;
};

/// The first pass, and the second one over what `change` has done since; a receiver takes both.
template <class Change>
Second tell_twice(std::span<const std::byte> memory, Choice choice, const Change& change) {
  const auto bench = std::make_unique<Workbench>();
  Source source;
  Store store;
  Second second;
  if (!source.open(memory).empty() || !store.open(memory.size(), "").empty()) return {.exact = false};
  const auto pass = [&](Choice by) {
    second = {.exact = second.exact};
    for (std::uint32_t block = 0; block < source.blocks(); ++block) {
      const Frame frame = source.frame(block, by, *bench);
      second.make += frame.cpu;
      second.wire += frame.bytes.size();
      if (frame.bytes.empty()) continue;
      FrameHead head;
      std::memcpy(&head, frame.bytes.data(), sizeof head);
      const Nanoseconds began = thread_cpu_now();
      second.exact = store.take(head, std::span(frame.bytes).subspan(sizeof head)).empty() && second.exact;
      second.take += thread_cpu_now() - began;
    }
  };
  pass(choice);
  change();
  pass(choice);
  return second;
}

/// A second pass, by the frames of each way and by xbzrle's encoding.
JsonLine second_pass(Memory& memory, const Options& options) {
  const auto bytes = memory.bytes();
  const std::vector<std::byte> before(bytes.begin(), bytes.end());
  const auto change = [&] {
    Random random(options.seed + 1);
    dirty(bytes, options.dirty, random);
  };
  std::string ways;
  for (const Choice choice : kSecondPass) {
    if (!missing(choice.codec).empty()) continue;
    const Second second = tell_twice(bytes, choice, change);
    JsonLine one;
    one.string("codec", kCodecs[static_cast<std::size_t>(choice.codec)])
        .number("level", choice.level)
        .number("wire", second.wire)
        .number("makeNs", second.make)
        .number("takeNs", second.take)
        .boolean("exact", second.exact);
    ways += (ways.empty() ? "" : ",") + one.text();
    std::copy(before.begin(), before.end(), bytes.begin());
  }
  change();
  std::uint64_t xbzrle = 0, pages = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kPage) {
    const auto now = std::span<const std::byte>(bytes).subspan(at, kPage);
    const auto old = std::span(before).subspan(at, kPage);
    if (std::equal(now.begin(), now.end(), old.begin())) continue;
    ++pages;
    xbzrle += xbzrle_bytes(now, old);
  }
  JsonLine line;
  line.number("millionths", options.dirty).number("pages", pages).number("xbzrle", xbzrle).raw("ways", "[" + ways + "]");
  return line;
}

}  // namespace

std::string compare_codecs(const Options& options, std::string& line) {
  Memory memory;
  if (std::string fault = make_memory(options, memory); !fault.empty()) return fault;
  JsonLine result;
  result.string("event", "codecs").number("bytes", memory.bytes().size());
  result.raw("columns", columns(memory.bytes(), options.only));
  if (options.dirty > 0) result.object("secondPass", second_pass(memory, options));
  line = result.text();
  return "";
}

}  // namespace migrate
