#include "migrate/codecs.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

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

/// A second pass, by the frames of each codec that travels and by xbzrle's encoding.
JsonLine second_pass(Memory& memory, const Options& options) {
  const auto bytes = memory.bytes();
  const std::vector<std::byte> before(bytes.begin(), bytes.end());
  const auto bench = std::make_unique<Workbench>();
  JsonLine line;
  line.number("millionths", options.dirty);
  for (const Choice choice : {Choice{Codec::none, 0}, Choice{Codec::lz4, 1}, Choice{Codec::zstd, 1}, Choice{Codec::zstd, 3}}) {
    if (!missing(choice.codec).empty()) continue;
    Source source;
    if (!source.open(bytes).empty()) continue;
    // The first pass, and the second one over what has changed since.
    for (std::uint32_t block = 0; block < source.blocks(); ++block) source.frame(block, choice, *bench);
    Random random(options.seed + 1);
    dirty(bytes, options.dirty, random);
    std::uint64_t wire = 0;
    for (std::uint32_t block = 0; block < source.blocks(); ++block) wire += source.frame(block, choice, *bench).bytes.size();
    line.number(std::string(kCodecs[static_cast<std::size_t>(choice.codec)]) +
                    (choice.level > 0 ? "-" + std::to_string(choice.level) : ""),
                wire);
    std::copy(before.begin(), before.end(), bytes.begin());
  }
  Random random(options.seed + 1);
  dirty(bytes, options.dirty, random);
  std::uint64_t wire = 0, pages = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kPage) {
    const auto now = std::span<const std::byte>(bytes).subspan(at, kPage);
    const auto old = std::span(before).subspan(at, kPage);
    if (std::equal(now.begin(), now.end(), old.begin())) continue;
    ++pages;
    wire += xbzrle_bytes(now, old);
  }
  line.number("xbzrle", wire).number("pages", pages);
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
