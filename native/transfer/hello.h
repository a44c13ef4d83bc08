// The first line of a program that moves bulk data, src/contract/transfer.ts and migrate.ts.
#pragma once

#include <string>

#include "dispatch/poller.h"
#include "transfer/options.h"

namespace transfer {

/// `listener`: the receiver's; -1 of a sender.
std::string hello_line(const Options& options, const dispatch::Poller& poller, int listener, const char* program);

}  // namespace transfer
