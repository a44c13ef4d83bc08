// What every codec makes of a page set, without a receiver: ratios as published comparisons have them, rates in bytes of
// memory, and what a second version of the same memory comes to.
#pragma once

#include <string>

#include "migrate/options.h"

namespace migrate {

/// The line of --role codecs, in `line`. One sentence on what failed.
std::string compare_codecs(const Options& options, std::string& line);

}  // namespace migrate
