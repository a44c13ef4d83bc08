// dispatchbench-bare: what stands in for Node where there is none. `starter` runs programs for a runner elsewhere
// (src/contract/starter.ts), `observer` tells of the machine (src/contract/bare-observer.ts).
#include <cstdio>
#include <string>
#include <string_view>

#include "bare/observer.h"
#include "bare/starter.h"

int main(int argc, char** argv) {
  const std::string program = argv[0];
  const std::string_view role = argc == 2 ? argv[1] : "";
  std::string fault = "say what it is to be: starter or observer";
  if (role == "starter") fault = bare::serve_starter(program.substr(0, program.find_last_of('/')));
  if (role == "observer") fault = bare::serve_observer(program);
  if (fault.empty()) return 0;
  std::fprintf(stderr, "dispatchbench-bare: %s\n", fault.c_str());
  return 1;
}
