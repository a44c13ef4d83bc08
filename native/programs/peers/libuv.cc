// dispatchbench-cost-libuv: what a dispatch costs through libuv, which has one mechanism on each system. Options and output
// as of dispatchbench-dispatch-cost.
#include <cstring>
#include <string>

#include "cost/run.h"
#include "peers/libuv_waiter.h"

namespace {

constexpr std::string_view kImpls[] = {"libuv-c"};
#ifdef __linux__
constexpr const char* kBackend = "epoll";
#else
constexpr const char* kBackend = "kqueue";
#endif

std::string run(cost::Setting setting) {
  if (setting.options.backend != kBackend) {
    return "libuv has no mechanism '" + setting.options.backend + "' here: it has " + kBackend;
  }
  peers::LibuvWaiter waiter;
  if (const int error = waiter.open()) return std::string("libuv has no loop: ") + std::strerror(error);
  setting.facts.library = "libuv";
  setting.facts.library_version = uv_version_string();
  return run_mode(setting, waiter);
}

}  // namespace

int main(int argc, char** argv) { return cost::run_program("dispatchbench-cost-libuv", argc, argv, kImpls, run); }
