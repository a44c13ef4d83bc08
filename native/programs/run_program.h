// What main() of every standalone server does: options in, one sentence and exit code 1 on failure.
#pragma once

#include <cstdio>
#include <span>
#include <string>

#include "net/options.h"
#include "net/report.h"

namespace programs {

inline int run_program(int argc, char** argv, const char* impl,
                       std::string (*run)(const net::Options&, const net::Identity&)) {
  net::Options options;
  std::string fault = net::parse_options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1), options);
  if (fault.empty()) fault = run(options, {.impl = impl, .io = "", .versions = "", .program = argv[0]});
  if (fault.empty()) return 0;
  std::fprintf(stderr, "dispatchbench-server: %s\n", fault.c_str());
  return 1;
}

}  // namespace programs
