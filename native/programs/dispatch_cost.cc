// dispatchbench-dispatch-cost: what one dispatch costs, measured by the program itself on socket pairs. Options:
// cost/options.h; output: src/contract/cost.ts.
#include <cstdio>
#include <cstring>
#include <string>

#include "cost/drain.h"
#include "cost/report.h"
#include "cost/wakeup.h"
#include "cost/wakeup_threads.h"
#include "process/affinity.h"
#include "process/json_line.h"
#include "programs/raw_mechanisms.h"
#include "servers/server.h"

namespace {

using cost::Options;

/// Everything but the mechanism.
struct Setting {
  const Options& options;
  const char* program;
  const cost::Pairs& pairs;
  servers::Control& control;
};

template <class Waiter, class Rounds>
std::string measure(const Setting& setting, const Waiter& waiter, Rounds& rounds,
                    const dispatch::Capabilities* capabilities) {
  cost::Measurement measurement;
  const std::string fault = cost::Measure(waiter, rounds, setting.control).run(setting.options, measurement);
  if (!fault.empty()) return fault;
  cost::WriterFacts facts;
  const cost::WriterFacts* writer = nullptr;
  if constexpr (requires { rounds.writer(); }) {
    facts = {rounds.writer().spins(), rounds.writer().affinity()};
    writer = &facts;
  }
  process::print_line(cost::cost_line(setting.options, measurement, capabilities, writer, setting.program));
  return "";
}

std::string watch_refusal(const Options& options, std::uint32_t pair, int fd, int error) {
  const std::string which = "backend '" + options.backend + "' cannot watch descriptor " + std::to_string(fd) +
                            " of pair " + std::to_string(pair + 1) + " of " + std::to_string(options.pairs);
  if (error != ERANGE) return which + ": " + std::strerror(error);
  return which + ", which is beyond its limit (FD_SETSIZE, settled when the C library was built): ask for at most " +
         std::to_string(pair) + " --pairs, or for the backend 'select', which keeps sets of its own";
}

template <class Waiter>
std::string run_mode(const Setting& setting, Waiter& waiter, const dispatch::Capabilities* capabilities) {
  const auto& [options, program, pairs, control] = setting;
  for (std::uint32_t pair = 0; pair < pairs.size(); ++pair) {
    const int fd = pairs.reader(pair);
    if (const int error = waiter.watch(fd, pair)) return watch_refusal(options, pair, fd, error);
  }
  switch (options.mode) {
    case cost::Mode::drain: {
      cost::Drain rounds(waiter, pairs, options);
      return measure(setting, waiter, rounds, capabilities);
    }
    case cost::Mode::wakeup: {
      cost::Wakeup rounds(waiter, pairs, options);
      return measure(setting, waiter, rounds, capabilities);
    }
    case cost::Mode::wakeup_threads: break;
  }
  cost::WakeupThreads rounds(waiter, pairs, options);
  return measure(setting, waiter, rounds, capabilities);
}

std::string run_native(const Setting& setting) {
  dispatch::Probe probe;
  const auto poller = dispatch::Poller::open(setting.options.backend, probe);
  if (poller == nullptr) return servers::backend_refusal(setting.options.backend, probe.reason);
  cost::PollerWaiter waiter(*poller, setting.options.max_events);
  return run_mode(setting, waiter, &poller->capabilities());
}

template <class Mechanism>
std::string run_raw(const Setting& setting) {
  cost::RawWaiter<Mechanism> waiter(setting.options.max_events);
  return run_mode(setting, waiter, nullptr);
}

std::string run_baseline(const Setting& setting) {
  const std::string& backend = setting.options.backend;
  if (backend == "select") return run_raw<programs::RawSelect>(setting);
  if (backend == "poll") return run_raw<programs::RawPoll>(setting);
#if defined(__linux__)
  if (backend == "epoll") return run_raw<programs::RawEpoll>(setting);
  return "there is a baseline for select, poll and epoll, not for '" + backend + "'";
#else
  if (backend == "kqueue") return run_raw<programs::RawKqueue>(setting);
  return "there is a baseline for select, poll and kqueue, not for '" + backend + "'";
#endif
}

/// The measuring thread has the first CPU where another thread has the second, else any of them.
std::string pin(const Options& options) {
  if (options.cpus.empty()) return "";
  int error = process::set_affinity(options.cpus);
  const bool two_threads = options.mode == cost::Mode::wakeup_threads && options.cpus.size() > 1;
  if (error == 0 && two_threads) {
    for (const int cpu : {options.cpus[1], options.cpus[0]}) {
      if (error == 0) error = process::set_thread_affinity({cpu});
    }
  }
  return error == 0 ? "" : std::string("--cpu cannot be met: ") + std::strerror(error);
}

std::string run(const Options& options, const char* program) {
  if (std::string fault = pin(options); !fault.empty()) return fault;
  servers::Control control;
  if (const int error = control.open(options.control)) {
    return std::string("cannot open the control channel: ") + std::strerror(error);
  }
  cost::Pairs pairs;
  if (std::string fault = pairs.open(options.pairs); !fault.empty()) return fault;
  const Setting setting{options, program, pairs, control};
  return options.baseline ? run_baseline(setting) : run_native(setting);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string fault = cost::parse_options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1), options);
  if (fault.empty()) fault = run(options, argv[0]);
  if (fault.empty()) return 0;
  std::fprintf(stderr, "dispatchbench-dispatch-cost: %s\n", fault.c_str());
  return 1;
}
