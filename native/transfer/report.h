// The lines of dispatchbench-transfer, src/contract/transfer.ts: hello, result.
#pragma once

#include <string>
#include <string_view>

#include "dispatch/poller.h"
#include "transfer/account.h"
#include "transfer/options.h"

namespace transfer {

/// `listener`: the receiver's; -1 of a sender.
std::string hello_line(const Options& options, const dispatch::Poller& poller, int listener, const char* program);
/// `fault`: why it is not whole; empty where it is.
std::string result_line(const Options& options, const Account& account, std::string_view fault);

}  // namespace transfer
