// What main() of every standalone server does: options in, one sentence and exit code 1 on failure.
#pragma once

#include <cstdio>
#include <span>
#include <string>

#include "servers/options.h"
#include "servers/report.h"

namespace programs {

/// `name` says who speaks on stderr, `impl` who serves.
inline int run_program(int argc, char** argv, const char* name, const char* impl,
                       std::string (*run)(const servers::Options&, const servers::Identity&)) {
  servers::Options options;
  std::string fault = servers::parse_options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1), options);
  if (fault.empty()) fault = run(options, {.impl = impl, .io = "", .versions = "", .program = argv[0]});
  if (fault.empty()) return 0;
  std::fprintf(stderr, "%s: %s\n", name, fault.c_str());
  return 1;
}

}  // namespace programs
