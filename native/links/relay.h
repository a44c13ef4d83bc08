// Carries packets between two network namespaces as a link would that delays them, loses some and has a rate.
//
// Lines on stdout (src/contract/link.ts): `ready` when both devices are there, `link` with what passed since the last one
// whenever the line `report` comes in on stdin, and once more when stdin ends, which ends the program. The line `shape WORDS`, of
// the options that say a direction's shape, changes what packets find from then on, and is not answered.
#pragma once

#include <string>

#include "links/options.h"

namespace links {

/// One sentence on what went wrong, a line that cannot be read among it; empty when stdin ended.
std::string run_relay(const Options& options);

}  // namespace links
