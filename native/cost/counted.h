// What a mode counts beside events: sums since the start, under the names of the contract.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace cost {

using Counted = std::vector<std::pair<const char*, std::uint64_t>>;

}  // namespace cost
