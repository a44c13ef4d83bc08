// The lines of the server contract, src/contract/server.ts: hello, snapshot, farewell.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dispatch/backend.h"
#include "servers/options.h"
#include "servers/statistics.h"

namespace servers {

/// What a program says about itself; the io=native server inside Node gives other answers than a native program.
struct Identity {
  std::string impl = "native";
  std::string io;             ///< empty: no Node-API crossing
  std::string versions;       ///< JSON object; empty: the compiler's
  std::string program;        ///< path of the binary that is digested
  std::string engine = {};    ///< JSON object on the completion engine; empty: there is none
  std::string busy_poll = {};  ///< JSON object, see busy_poll.h; empty: nobody asked
};

/// `capabilities` is null for programs that have no Poller. `socket`: the one at the first port.
std::string hello_line(const Options& options, const Identity& identity, const dispatch::Capabilities* capabilities,
                       int socket);

/// `counters` is null for programs that have no Poller. `workers`: what each of several did, of which the others are sums.
std::string snapshot_line(std::string_view id, const Statistics& statistics, const dispatch::Counters* counters,
                          std::span<const Statistics> workers = {});
std::string farewell_line(std::string_view reason, std::int64_t started_ns, const Statistics& statistics,
                          const dispatch::Counters* counters, std::span<const Statistics> workers = {});

}  // namespace servers
