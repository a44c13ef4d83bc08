// Runs a server on the completion engine from options to farewell, as servers::run_server does on a Poller.
#pragma once

#include <string>

#include "servers/options.h"
#include "servers/report.h"

namespace completion {

/// Returns when the server was told to stop. One sentence on what failed, empty after a farewell. There is no fallback: an
/// engine that cannot be had is an error with its reason.
std::string run_server(const servers::Options& options, const servers::Identity& identity);

/// On the engine that the options name, or on their backend.
std::string run_any(const servers::Options& options, const servers::Identity& identity);

/// Why a server cannot run on the engine here, tried for real; empty when it can.
std::string why_not();

}  // namespace completion
