#include "migrate/options.h"

#include <array>
#include <vector>

#include "migrate/format.h"
#include "process/arguments.h"

namespace migrate {
namespace {

constexpr std::string_view kAutomatic = "auto";
constexpr std::uint64_t kMostMs = 3'600'000;
constexpr std::uint32_t kMostPasses = 1000;

std::string check_codec(const Options& options, bool level_given) {
  const Codec codec = options.choice.codec;
  const std::string name(kCodecs[static_cast<std::size_t>(codec)]);
  const CodecFacts facts = facts_of(codec);
  if (!facts.travels) return "--codec " + name + " is for comparison alone (--role codecs): memory is sent by none, lz4, zstd or auto";
  if (const std::string& why = missing(codec); !why.empty()) return "--codec " + name + " is not available here: " + why;
  if (level_given && (options.automatic || options.choice.level < facts.lowest || options.choice.level > facts.highest)) {
    return facts.highest == 0 ? "--level is of lz4 and zstd"
                              : "--level of " + name + " is a whole number from " + std::to_string(facts.lowest) + " to " +
                                    std::to_string(facts.highest);
  }
  return "";
}

std::string check(const Options& options) {
  if (options.keep && (options.role != Role::receiver || options.into.empty())) {
    return "--keep is of a receiver that has a file (--into)";
  }
  if (options.role == Role::receiver) return "";
  if (options.bytes % kPage != 0) return "--bytes is a multiple of " + std::to_string(kPage) + ", which is a page";
  const bool writes = options.dirty > 0 || options.dirty_rate > 0;
  if (writes && !options.file.empty()) return "a --file is only read: --dirty and --dirty-rate are of a page set";
  if (options.role != Role::sender) return "";
  if (options.port == 0) return "a sender needs the --port of its receiver";
  if (options.writer != 0 && options.file.empty()) return "who writes (--writer) does so into a --file";
  if (options.dirty > 0 && options.dirty_rate > 0) return "memory is changed either between passes (--dirty) or all the time (--dirty-rate)";
  return "";
}

}  // namespace

std::string parse_options(std::span<char* const> arguments, Options& options) {
  std::size_t role = static_cast<std::size_t>(options.role);
  std::size_t pages = static_cast<std::size_t>(options.pages);
  std::vector<std::string_view> codecs(std::begin(kCodecs), std::end(kCodecs));
  codecs.push_back(kAutomatic);
  const std::size_t none_given = codecs.size();
  std::size_t codec = none_given;
  int level = 0;
  options.base.backend = "poll";  // which every system has
  process::Arguments known;
  known.choice("--role", {"sender", "receiver", "codecs", "pages"}, role);
  known.text("--backend", options.base.backend);
  known.cpus("--cpu", options.base.cpus);
  known.flag("--control", options.base.control);
  known.number("--max-events", 1, 65536, options.base.budgets.max_events);
  known.text("--host", options.host);
  known.number("--port", 0, 65535, options.port);
  known.number("--patience", 1, kMostMs, options.patience_ms);
  known.text("--file", options.file);
  known.choice("--pages", {std::begin(kPageSets), std::end(kPageSets)}, pages);
  known.number("--bytes", kPage, kMostMemory, options.bytes);
  known.number("--seed", 0, UINT64_MAX, options.seed);
  known.number("--connections", 1, kMostConnections, options.connections);
  known.number("--workers", 1, 64, options.workers);
  known.choice("--codec", codecs, codec);
  known.number("--level", 1, 22, level);
  known.number("--tries", 0, 1000, options.tries);
  known.number("--passes", 1, kMostPasses, options.passes);
  known.number("--dirty", 0, 1'000'000, options.dirty);
  known.number("--dirty-rate", 0, 1'000'000'000, options.dirty_rate);
  known.number("--dirty-within", kPage, kMostMemory, options.dirty_within);
  known.number("--downtime", 1, kMostMs, options.downtime_ms);
  known.number("--writer", 1, 65535, options.writer);
  known.text("--into", options.into);
  known.flag("--keep", options.keep);
  known.number("--most", kPage, kMostMemory, options.most);
  if (std::string fault = known.read(arguments); !fault.empty()) return fault;
  options.role = static_cast<Role>(role);
  options.pages = static_cast<PageSet>(pages);
  options.automatic = codec == std::size(kCodecs);
  if (codec < std::size(kCodecs)) options.only = static_cast<Codec>(codec);
  options.choice.codec = options.only.value_or(Codec::none);
  options.choice.level = level > 0 ? level : facts_of(options.choice.codec).usual;
  if (options.passes == 0) options.passes = options.dirty_rate > 0 || options.writer != 0 ? kMostPasses : 1;
  if (std::string fault = check(options); !fault.empty()) return fault;
  return options.role == Role::sender ? check_codec(options, level > 0) : "";
}

std::string make_memory(const Options& options, Memory& memory) {
  if (!options.file.empty()) return Memory::read(options.file, memory);
  if (std::string fault = Memory::make(options.bytes, memory); !fault.empty()) return fault;
  fill(memory.bytes(), options.pages, options.seed);
  return "";
}

}  // namespace migrate
