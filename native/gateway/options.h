// The command line of dispatchbench-gateway: what every gateway of the suite takes, and what only servers on our backends
// have.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "net/socket.h"
#include "process/clock.h"
#include "servers/options.h"

namespace gateway {

struct Options {
  servers::Options serving;  ///< backend, address, backlog, budgets, control
  net::Address upstream;
  bool keep_alive = true;
  process::Nanoseconds timeout = 0;  ///< of reading a request, of sending a reply, and of the upstream
  std::uint64_t max_iterations = 0;  ///< of /compute
};

/// Reads `arguments` (without the program's name). Returns one sentence on what is wrong, empty when nothing is.
std::string parse_options(std::span<char* const> arguments, Options& options);

}  // namespace gateway
