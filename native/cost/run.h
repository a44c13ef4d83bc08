// What the programs that measure the cost of a dispatch have in common: everything but the way to wait.
#pragma once

#include <poll.h>

#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "cost/accept_storm.h"
#include "cost/after_spike.h"
#include "cost/drain.h"
#include "cost/interest_change.h"
#include "cost/loud_talker.h"
#include "cost/process_writer.h"
#include "cost/report.h"
#include "cost/teardown.h"
#include "cost/thread_writer.h"
#include "cost/toggle_write.h"
#include "cost/udp_fan_in.h"
#include "cost/unread.h"
#include "cost/wakeup.h"
#include "cost/wakeup_other.h"
#include "process/affinity.h"
#include "process/json_line.h"
#include "servers/control.h"

namespace cost {

struct Setting {
  const Options& options;
  const Pairs& pairs;
  servers::Control& control;
  Facts facts;
};

/// Measures the rounds of one mode and prints the line. One sentence on what failed, empty when it was printed.
template <class Rounds, class Waiter>
std::string measure(const Setting& setting, Waiter& waiter) {
  Rounds rounds(waiter, setting.pairs, setting.options);
  if constexpr (requires { rounds.open(); }) {
    if (std::string fault = rounds.open(); !fault.empty()) return fault;
  }
  Measurement measurement;
  if (std::string fault = Measure(waiter, rounds, setting.control).run(setting.options, measurement); !fault.empty()) {
    return fault;
  }
  Facts facts = setting.facts;
  WriterFacts writer;
  if constexpr (requires { rounds.writer(); }) {
    writer = {rounds.writer().spins(), rounds.writer().handoff().affinity()};
    facts.writer = &writer;
  }
  process::print_line(cost_line(setting.options, measurement, facts));
  return "";
}

inline std::string watch_refusal(const Options& options, std::uint32_t pair, int fd, int error) {
  const std::string which = "backend '" + options.backend + "' cannot watch descriptor " + std::to_string(fd) +
                            " of pair " + std::to_string(pair + 1) + " of " + std::to_string(options.pairs);
  if (error != ERANGE) return which + ": " + std::strerror(error);
  const std::string limit = which + ", which is beyond its limit (FD_SETSIZE, settled when the C library was built)" +
                            ": ask for at most " + std::to_string(pair) + " --pairs";
  return options.backend == "select" ? limit : limit + ", or for the backend 'select', which keeps sets of its own";
}

/// Registers all pairs and measures the mode that was asked for.
template <class Waiter>
std::string run_mode(const Setting& setting, Waiter& waiter) {
  const Pairs& pairs = setting.pairs;
  for (std::uint32_t pair = 0; pair < pairs.size(); ++pair) {
    const int fd = pairs.reader(pair);
    if (const int error = waiter.watch(fd, pair)) return watch_refusal(setting.options, pair, fd, error);
  }
  switch (setting.options.mode) {
    case Mode::drain: return measure<Drain<Waiter>>(setting, waiter);
    case Mode::wakeup: return measure<Wakeup<Waiter>>(setting, waiter);
    case Mode::wakeup_threads: return measure<WakeupOther<Waiter, ThreadWriter>>(setting, waiter);
    case Mode::wakeup_processes: return measure<WakeupOther<Waiter, ProcessWriter>>(setting, waiter);
    case Mode::add:
    case Mode::modify:
    case Mode::remove: return measure<InterestChange<Waiter>>(setting, waiter);
    case Mode::toggle_write: return measure<ToggleWrite<Waiter>>(setting, waiter);
    case Mode::accept_storm: return measure<AcceptStorm<Waiter>>(setting, waiter);
    case Mode::udp_fan_in: return measure<UdpFanIn<Waiter>>(setting, waiter);
    case Mode::loud_talker: return measure<LoudTalker<Waiter>>(setting, waiter);
    case Mode::teardown: return measure<Teardown<Waiter>>(setting, waiter);
    case Mode::after_spike: return measure<AfterSpike<Waiter>>(setting, waiter);
    case Mode::unread: return measure<Unread<Waiter>>(setting, waiter);
  }
  return "no such mode";
}

/// The measuring thread has the first CPU where another thread or process has the second, else any of them.
inline std::string pin(const Options& options) {
  if (options.cpus.empty()) return "";
  int error = process::set_affinity(options.cpus);
  if (error == 0 && facts_of(options.mode).second && options.cpus.size() > 1) {
    for (const int cpu : {options.cpus[1], options.cpus[0]}) {
      if (error == 0) error = process::set_thread_affinity({cpu});
    }
  }
  return error == 0 ? "" : std::string("--cpu cannot be met: ") + std::strerror(error);
}

/// Says that it is there, and waits for the word to go on. One sentence when it is told to end instead.
inline std::string hold(servers::Control& control) {
  process::print_line(process::JsonLine().string("event", "held").text());
  bool told = false;
  while (!told && !control.stopping()) {
    std::vector<pollfd> watched;
    for (const int fd : control.descriptors()) watched.push_back({fd, POLLIN, 0});
    ::poll(watched.data(), static_cast<nfds_t>(watched.size()), -1);
    for (const int fd : control.descriptors()) control.on_readable(fd, [&told](std::string_view) { told = true; });
  }
  return told ? "" : "ended by " + std::string(control.reason()) + " before the measurement began";
}

/// What comes before the first wait: what was asked, CPUs, the control channel, pairs. One sentence on what is in the way.
inline std::string prepare(std::span<char* const> arguments, std::span<const std::string_view> impls, Options& options,
                           servers::Control& control, Pairs& pairs) {
  if (std::string fault = parse_options(arguments, impls, options); !fault.empty()) return fault;
  if (std::string fault = pin(options); !fault.empty()) return fault;
  if (const int error = control.open(options.control)) {
    return std::string("cannot open the control channel: ") + std::strerror(error);
  }
  if (std::string fault = pairs.open(options.pairs, options.stride, further_descriptors(options)); !fault.empty()) {
    return fault;
  }
  return options.hold ? hold(control) : "";
}

/// `main` of such a program: `run(setting)` makes the waiter that was asked for and calls run_mode. One sentence on
/// stderr when it returns one.
template <class Run>
int run_program(const char* name, int argc, char** argv, std::span<const std::string_view> impls, Run run) {
  const auto whole = [&]() -> std::string {
    Options options;
    servers::Control control;
    Pairs pairs;
    const auto arguments = std::span(argv, static_cast<std::size_t>(argc)).subspan(1);
    if (std::string fault = prepare(arguments, impls, options, control, pairs); !fault.empty()) return fault;
    return run(Setting{options, pairs, control, {.program = argv[0]}});
  };
  const std::string fault = whole();
  if (fault.empty()) return 0;
  std::fprintf(stderr, "%s: %s\n", name, fault.c_str());
  return 1;
}

}  // namespace cost
