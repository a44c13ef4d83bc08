// dispatchbench-cost-libevent: what a dispatch costs through libevent, its method chosen by avoiding all others. Options and
// output as of dispatchbench-dispatch-cost.
#include <string>

#include "cost/run.h"
#include "peers/libevent_base.h"
#include "peers/libevent_waiter.h"

namespace {

constexpr std::string_view kImpls[] = {"libevent"};

std::string run(cost::Setting setting) {
  const std::string& backend = setting.options.backend;
  const peers::LibeventBase base(backend.c_str());
  if (base.get() == nullptr) return base.refusal(backend);
  peers::LibeventWaiter waiter(base.get());
  setting.facts.library = "libevent";
  setting.facts.library_version = event_get_version();
  return run_mode(setting, waiter);
}

}  // namespace

int main(int argc, char** argv) { return cost::run_program("dispatchbench-cost-libevent", argc, argv, kImpls, run); }
