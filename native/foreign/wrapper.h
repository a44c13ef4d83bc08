// Speaks the server contract for somebody else's server: starts it, says hello once it serves, answers for it, ends it.
#pragma once

#include <string>

#include "foreign/options.h"

namespace foreign {

/// Returns when the server has ended. One sentence on what failed, empty after a farewell.
std::string run_foreign(Options options);

}  // namespace foreign
