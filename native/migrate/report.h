// What an end of a migration tells of it, src/contract/migrate.ts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "migrate/account.h"
#include "migrate/options.h"

namespace migrate {

/// `fault`: why it is not whole; empty where it is.
std::string result_line(const Options& options, const Account& account, std::string_view fault);

/// 16 hexadecimal characters.
std::string digest_text(std::uint64_t digest);

}  // namespace migrate
