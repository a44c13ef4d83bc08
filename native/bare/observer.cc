#include "bare/observer.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "bare/line_splitter.h"
#include "dispatch/registry.h"
#include "net/ping_pong.h"
#include "process/affinity.h"
#include "process/arguments.h"
#include "process/calibration.h"
#include "process/clock.h"
#include "process/digest.h"
#include "process/identity.h"
#include "process/json_line.h"
#include "process/usage.h"

namespace bare {
namespace {

using process::JsonLine;

constexpr std::size_t kLongestQuestion = 1 << 16;
constexpr std::size_t kLargestText = 1 << 19;
constexpr int kClockReadings = 1000;

using Words = std::vector<std::string_view>;

Words words_of(std::string_view line) {
  Words words;
  while (!line.empty()) {
    const std::size_t space = line.find(' ');
    if (space != 0) words.push_back(line.substr(0, space));
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  }
  return words;
}

/// The numbers behind the question's name, each between its bounds.
template <std::size_t N>
bool numbers(const Words& words, const std::array<std::uint64_t, N>& most, std::array<std::uint64_t, N>& out) {
  if (words.size() != N + 1) return false;
  for (std::size_t i = 0; i < N; ++i) {
    if (!process::read_number(words[i + 1], 0, most[i], out[i])) return false;
  }
  return true;
}

void answer(const JsonLine& line) { process::print_line(line.text()); }

/// False where it is no file that can be read.
bool read_text(const char* path, std::string& text) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  struct stat about{};
  bool good = ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
  text.clear();
  char bytes[16384];
  while (good && text.size() < kLargestText) {
    const ssize_t n = ::read(fd, bytes, sizeof bytes);
    if (n > 0) text.append(bytes, static_cast<std::size_t>(n));
    if (n == 0) break;
    if (n < 0 && errno != EINTR) good = false;
  }
  ::close(fd);
  return good;
}

/// Bytes that are no text would be no JSON, and a carrier of lines shows DEL in words of its own.
void keep_ascii(std::string& text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
}

/// Texts of the files that the patterns match, by path.
void texts(const Words& words) {
  JsonLine found;
  for (std::size_t i = 1; i < words.size(); ++i) {
    glob_t matches{};
    if (::glob(std::string(words[i]).c_str(), 0, nullptr, &matches) == 0) {
      for (std::size_t k = 0; k < matches.gl_pathc; ++k) {
        std::string text;
        if (!read_text(matches.gl_pathv[k], text)) continue;
        keep_ascii(text);
        found.string(matches.gl_pathv[k], text);
      }
    }
    ::globfree(&matches);
  }
  answer(JsonLine().string("event", "texts").object("texts", found));
}

std::string backends_list() {
  std::string list;
  for (const dispatch::BackendEntry& entry : dispatch::backends()) {
    const dispatch::Probe probe = dispatch::probe(entry);
    JsonLine one;
    one.string("name", entry.name).boolean("available", probe.available).string("reason", probe.reason);
    one.number("maxDescriptor", probe.available ? probe.capabilities.max_descriptor : -1);
    list += (list.empty() ? "" : ",") + one.text();
  }
  return "[" + list + "]";
}

std::int64_t pages(int which) {
  const long count = ::sysconf(which);
  return count < 0 ? 0 : static_cast<std::int64_t>(count) * ::sysconf(_SC_PAGESIZE);
}

void system_facts(const std::string& program) {
  utsname name{};
  ::uname(&name);
  std::vector<int> cpus = process::affinity();
  const long there = ::sysconf(_SC_NPROCESSORS_ONLN);
  // A system that cannot say lets a program use all there are.
  for (int cpu = 0; process::affinity().empty() && cpu < there; ++cpu) cpus.push_back(cpu);
  const process::DescriptorLimit limit = process::descriptor_limit();
  // A limit without an end is more than a JSON number tells exactly.
  const auto told = [](std::uint64_t value) { return std::min<std::uint64_t>(value, (1ULL << 53) - 1); };
  JsonLine line;
  line.string("event", "system")
      .string("os", std::string(name.sysname) + " " + name.release)
      .string("release", name.release)
      .string("arch", name.machine)
      .number("vcpus", there)
      .numbers("cpus", cpus)
      .number("clockStepNs", process::clock_step(kClockReadings))
      .object("descriptorLimit", JsonLine().number("soft", told(limit.soft)).number("hard", told(limit.hard)))
      .number("memoryBytes", pages(_SC_PHYS_PAGES))
#ifdef _SC_AVPHYS_PAGES
      .number("memoryFreeBytes", pages(_SC_AVPHYS_PAGES))
#else
      .number("memoryFreeBytes", pages(_SC_PHYS_PAGES))
#endif
      .raw("backends", backends_list())
      .string("nodeBackend", dispatch::own_backend(name.sysname).name)
      .string("compiler", process::compiler())
      .string("digest", process::file_digest(program.c_str()));
  answer(line);
}

void ping(process::Nanoseconds received) {
  answer(JsonLine()
             .string("event", "pong")
             .number("receivedNs", received)
             .number("sentNs", process::monotonic_now()));
}

void clocks() {
  double loads[1] = {0};
  const bool told = ::getloadavg(loads, 1) == 1;
  answer(JsonLine()
             .string("event", "clocks")
             .number("monotonicNs", process::monotonic_now())
             .number("realtimeNs", process::read_clock(CLOCK_REALTIME))
             .raw("load", told ? std::to_string(loads[0]) : "0"));
}

/// An answer of one figure, nanoseconds.
void figure(const char* event, double ns) {
  answer(JsonLine().string("event", event).raw("ns", std::to_string(ns)));
}

void copies(std::uint64_t bytes, std::uint64_t count) {
  // Filled, because a page that was never written is not there to be copied.
  std::vector<char> from(bytes, 1);
  std::vector<char> to(bytes, 2);
  process::Nanoseconds best = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const process::Nanoseconds started = process::monotonic_now();
    std::memcpy(to.data(), from.data(), bytes);
    const process::Nanoseconds took = process::monotonic_now() - started;
    if (i == 0 || took < best) best = took;
    // Looked at, so that the copy is made.
    if (to[bytes / 2] != 1) return;
  }
  figure("copy", static_cast<double>(best));
}

void ping_pong(std::uint64_t rounds, std::uint64_t cpu, std::uint64_t partner) {
  const net::PingPong result =
      net::ping_pong(static_cast<std::uint32_t>(rounds), static_cast<int>(cpu), static_cast<int>(partner));
  answer(JsonLine()
             .string("event", "ping-pong")
             .number("errno", result.error)
             .raw("roundTripNs", std::to_string(result.round_trip_ns))
             .raw("cpuNs", std::to_string(result.cpu_ns)));
}

constexpr std::uint64_t kMostRounds = 10'000'000;
constexpr std::uint64_t kMostBytes = 256 << 20;
constexpr std::uint64_t kMostCpu = 1023;

/// False: there is no such question.
bool take(const Words& words, const std::string& program, process::Nanoseconds received) {
  const std::string_view what = words.front();
  std::array<std::uint64_t, 1> one{};
  std::array<std::uint64_t, 2> two{};
  std::array<std::uint64_t, 3> three{};
  if (what == "texts") {
    texts(words);
  } else if (what == "system" && words.size() == 1) {
    system_facts(program);
  } else if (what == "ping" && words.size() == 1) {
    ping(received);
  } else if (what == "clocks" && words.size() == 1) {
    clocks();
  } else if (what == "spin" && numbers(words, {kMostRounds}, one)) {
    figure("spin", static_cast<double>(process::calibration_spin(static_cast<std::uint32_t>(one[0]))));
  } else if (what == "walk" && numbers(words, {kMostBytes, kMostRounds}, two)) {
    figure("walk", process::memory_walk(two[0], static_cast<std::uint32_t>(two[1])));
  } else if (what == "alone" && numbers(words, {kMostRounds, kMostCpu}, two)) {
    figure("alone", static_cast<double>(
                        process::paired_spin(static_cast<std::uint32_t>(two[0]), static_cast<int>(two[1]), -1)));
  } else if (what == "paired" && numbers(words, {kMostRounds, kMostCpu, kMostCpu}, three)) {
    figure("paired",
           static_cast<double>(process::paired_spin(static_cast<std::uint32_t>(three[0]), static_cast<int>(three[1]),
                                                    static_cast<int>(three[2]))));
  } else if (what == "ping-pong" && numbers(words, {kMostRounds, kMostCpu, kMostCpu}, three)) {
    ping_pong(three[0], three[1], three[2]);
  } else if (what == "copy" && numbers(words, {kMostBytes, 100}, two) && two[0] > 0) {
    copies(two[0], two[1]);
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string serve_observer(const std::string& program) {
  ::signal(SIGPIPE, SIG_IGN);
  // The terminal's Ctrl-C is for whoever asks, not for us.
  ::signal(SIGINT, SIG_IGN);
  LineSplitter lines(kLongestQuestion);
  const auto take_line = [&program](std::string_view line) {
    const process::Nanoseconds received = process::monotonic_now();
    const Words words = words_of(line);
    if (words.empty() || take(words, program, received)) return;
    process::print_line(JsonLine().string("event", "unknown").string("question", line.substr(0, 80)).text());
  };
  while (lines.read_from(STDIN_FILENO, take_line)) {
  }
  return "";
}

}  // namespace bare
