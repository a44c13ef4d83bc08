// The starter of a machine without Node (src/contract/starter.ts): runs programs there for a runner elsewhere, whose frames
// come on stdin.
#pragma once

#include <string>

namespace bare {

/// Serves until stdin ends, then ends all that it started. `folder` is where the programs lie. Returns one sentence when it
/// cannot begin, or what came was no frame; empty when all is over.
std::string serve_starter(const std::string& folder);

}  // namespace bare
