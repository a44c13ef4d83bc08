// dispatchbench-cost-libev: what a dispatch costs through libev, its backend chosen by flag. Options and output as of
// dispatchbench-dispatch-cost.
#include <string>
#include <utility>

#include "cost/run.h"
#include "peers/libev_waiter.h"

namespace {

constexpr std::string_view kImpls[] = {"libev"};
constexpr std::pair<const char*, unsigned> kBackends[] = {
    {"select", EVBACKEND_SELECT}, {"poll", EVBACKEND_POLL}, {"epoll", EVBACKEND_EPOLL}, {"kqueue", EVBACKEND_KQUEUE}};

std::string run(cost::Setting setting) {
  std::string known;
  for (const auto& [name, backend] : kBackends) {
    if ((ev_supported_backends() & backend) == 0) continue;
    known.append(known.empty() ? "" : ", ").append(name);
    if (setting.options.backend != name) continue;
    peers::LibevWaiter waiter(backend);
    if (!waiter.open()) return "libev cannot open its backend '" + setting.options.backend + "' here";
    setting.facts.library = "libev";
    setting.facts.library_version = std::to_string(ev_version_major()) + "." + std::to_string(ev_version_minor());
    return run_mode(setting, waiter);
  }
  return "libev has no backend '" + setting.options.backend + "' here: it has " + known;
}

}  // namespace

int main(int argc, char** argv) { return cost::run_program("dispatchbench-cost-libev", argc, argv, kImpls, run); }
