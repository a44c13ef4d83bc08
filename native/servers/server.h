// Runs a server from options to farewell: opens the poller and the control channel, prints the contract's lines and
// turns the loop. Used by the program dispatchbench-server and, for io=native, inside Node.
#pragma once

#include <string>

#include "servers/control.h"
#include "servers/options.h"
#include "servers/report.h"

namespace servers {

/// Returns when the server was told to stop. One sentence on what failed, empty after a farewell.
std::string run_server(const Options& options, const Identity& identity);

/// What every server program does first: descriptor limit, CPU affinity, control channel. One sentence on what failed.
std::string prepare(const Options& options, Control& control);

/// Why `backend` cannot be had here, with what can be done about it.
std::string backend_refusal(const std::string& backend, const std::string& reason);

}  // namespace servers
