// The lines of the server contract for a foreign server, src/contract/server.ts. What such a server does not tell is null.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "foreign/accounts.h"
#include "foreign/options.h"

namespace foreign {

/// What is known of the command once it serves.
struct Subject {
  std::vector<std::string> command;
  pid_t pid = -1;
  std::string executable;      ///< path of what is digested
  Accounting accounting = Accounting::rusage;
  std::int64_t started_ns = 0;  ///< CLOCK_MONOTONIC as the command was run
  std::int64_t ready_after_ns = 0;
};

std::string hello_line(const Options& options, const Subject& subject);
/// `connections`: established TCP connections on its port, or bound UDP sockets.
std::string snapshot_line(std::string_view id, const TreeFigures& figures, std::uint64_t connections);
std::string farewell_line(std::string_view reason, std::int64_t wall_ns, const TreeFigures& figures,
                          std::uint64_t connections);

}  // namespace foreign
