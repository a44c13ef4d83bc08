// dispatchbench-foreign: wraps somebody else's server so that it speaks the server contract. Options: foreign/options.h;
// output: src/contract/server.ts.
#include <cstdio>
#include <span>
#include <string>

#include "foreign/wrapper.h"

int main(int argc, char** argv) {
  foreign::Options options;
  std::string fault = foreign::parse_options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1), options);
  if (fault.empty()) fault = foreign::run_foreign(options);
  if (fault.empty()) return 0;
  std::fprintf(stderr, "dispatchbench-foreign: %s\n", fault.c_str());
  return 1;
}
