// Carries packets between two network namespaces as a link would that delays them, loses some and has a rate.
//
// Lines on stdout (src/contract/link.ts): `ready` when both devices are there, `link` with what passed since the last one
// whenever a line comes in on stdin, and once more when stdin ends, which ends the program.
#pragma once

#include <string>

#include "links/options.h"

namespace links {

/// One sentence on what went wrong, empty when stdin ended.
std::string run_relay(const Options& options);

}  // namespace links
