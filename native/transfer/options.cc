#include "transfer/options.h"

#include <array>

#include "process/arguments.h"
#include "transfer/format.h"

namespace transfer {
namespace {

constexpr std::array<std::string_view, 5> kWays = {"copy", "sendfile", "splice", "zerocopy", "uring-zerocopy"};
constexpr std::uint64_t kMostMs = 3'600'000;

std::string check(const Options& options) {
  if (options.role == Role::receiver) return "";
  if (options.port == 0) return "a sender needs the --port of its receiver";
  if ((options.bytes == 0) == (options.duration_ms == 0)) {
    return "a sender is given either --bytes or --duration (milliseconds), and not both";
  }
  if (options.adaptive && options.duration_ms == 0) {
    return "--adaptive takes a --duration: so many bytes have no share of a stream that may rest";
  }
#ifndef __linux__
  if (options.adaptive) return "--adaptive is not available here: it asks Linux what has arrived";
  if (options.way != Way::copy) return "--way " + std::string(name_of(options.way)) + " is not available here: Linux only";
#endif
  return "";
}

}  // namespace

const char* name_of(Role role) noexcept { return role == Role::sender ? "sender" : "receiver"; }

const char* name_of(Way way) noexcept { return kWays[static_cast<std::size_t>(way)].data(); }

std::string parse_options(std::span<char* const> arguments, Options& options) {
  std::size_t role = static_cast<std::size_t>(options.role);
  std::size_t way = 0;
  bool unchecked = false;
  options.base.backend = "poll";  // which every system has
  process::Arguments known;
  known.choice("--role", {"sender", "receiver"}, role);
  known.text("--backend", options.base.backend);
  known.cpus("--cpu", options.base.cpus);
  known.flag("--control", options.base.control);
  known.number("--max-events", 1, 65536, options.base.budgets.max_events);
  known.text("--host", options.host);
  known.number("--port", 0, 65535, options.port);
  known.number("--streams", 1, kMostStreams, options.streams);
  known.number("--chunk", 1, 64 << 20, options.chunk);
  known.number("--budget", 1, 1 << 30, options.budget);
  known.number("--memory", 1, 1 << 30, options.memory);
  known.choice("--way", {kWays.begin(), kWays.end()}, way);
  known.text("--congestion", options.congestion);
  known.flag("--adaptive", options.adaptive);
  known.flag("--no-checksum", unchecked);
  known.number("--bytes", 1, std::uint64_t{1} << 50, options.bytes);
  known.number("--duration", 1, kMostMs, options.duration_ms);
  known.number("--patience", 1, kMostMs, options.patience_ms);
  known.number("--seed", 0, UINT64_MAX, options.seed);
  if (std::string fault = known.read(arguments); !fault.empty()) return fault;
  options.role = static_cast<Role>(role);
  options.way = static_cast<Way>(way);
  options.checked = !unchecked;
  if (options.chunk == 0) options.chunk = options.role == Role::sender ? kSent : kReceived;
  return check(options);
}

}  // namespace transfer
