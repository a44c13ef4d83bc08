// dispatchbench-dispatch-cost: what one dispatch costs, measured by the program itself on socket pairs, through a Poller or
// with bare system calls. Options: cost/options.h; output: src/contract/cost.ts.
#include <string>

#include "cost/run.h"
#include "cost/waiter.h"
#include "programs/raw_mechanisms.h"
#include "servers/server.h"

namespace {

constexpr std::string_view kNative = "native";
constexpr std::string_view kImpls[] = {kNative, "baseline"};

std::string run_native(cost::Setting setting) {
  dispatch::Probe probe;
  const auto poller = dispatch::Poller::open(setting.options.backend, probe);
  if (poller == nullptr) return servers::backend_refusal(setting.options.backend, probe.reason);
  poller->look_first(setting.options.look_first);
  cost::PollerWaiter waiter(*poller, setting.options.max_events);
  setting.facts.capabilities = &poller->capabilities();
  return run_mode(setting, waiter);
}

template <class Mechanism>
std::string run_raw(const cost::Setting& setting) {
  cost::RawWaiter<Mechanism> waiter(setting.options.max_events);
  return run_mode(setting, waiter);
}

std::string run_baseline(const cost::Setting& setting) {
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

}  // namespace

int main(int argc, char** argv) {
  return cost::run_program("dispatchbench-dispatch-cost", argc, argv, kImpls, [](const cost::Setting& setting) {
    return setting.options.impl == kNative ? run_native(setting) : run_baseline(setting);
  });
}
