// dispatchbench-link: a link between two network namespaces. Options: links/options.h; output: src/contract/link.ts.
#include <cstdio>
#include <span>
#include <string>

#include "links/options.h"
#include "links/relay.h"

int main(int argc, char** argv) {
  links::Options options;
  std::string fault = links::parse_options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1), options);
  if (fault.empty()) fault = links::run_relay(options);
  if (fault.empty()) return 0;
  std::fprintf(stderr, "dispatchbench-link: %s\n", fault.c_str());
  return 1;
}
