// The observer of a machine without Node: answers a question on each line of stdin with one line
// (src/contract/bare-observer.ts). It reads and measures; what that means is for the runner to say.
#pragma once

#include <string>

namespace bare {

/// Answers until stdin ends. Returns one sentence when it cannot begin, empty when all is over.
std::string serve_observer(const std::string& program);

}  // namespace bare
