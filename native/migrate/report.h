// The lines of dispatchbench-migrate, src/contract/migrate.ts: hello, result.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dispatch/poller.h"
#include "migrate/account.h"
#include "migrate/options.h"

namespace migrate {

/// `listener`: the receiver's; -1 of a sender.
std::string hello_line(const Options& options, const dispatch::Poller& poller, int listener, const char* program);
/// `fault`: why it is not whole; empty where it is.
std::string result_line(const Options& options, const Account& account, std::string_view fault);

/// 16 hexadecimal characters.
std::string digest_text(std::uint64_t digest);

}  // namespace migrate
