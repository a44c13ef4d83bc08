// The last line of dispatchbench-transfer, src/contract/transfer.ts.
#pragma once

#include <string>
#include <string_view>

#include "transfer/account.h"
#include "transfer/options.h"

namespace transfer {

/// `fault`: why it is not whole; empty where it is.
std::string result_line(const Options& options, const Account& account, std::string_view fault);

}  // namespace transfer
