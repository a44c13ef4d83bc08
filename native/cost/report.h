// The one line of dispatchbench-dispatch-cost, src/contract/cost.ts.
#pragma once

#include <string>
#include <vector>

#include "cost/measure.h"
#include "cost/options.h"
#include "dispatch/backend.h"

namespace cost {

/// The other thread of `wakeup-threads`.
struct WriterFacts {
  bool spins = false;  ///< through its gap; else it sleeps
  std::vector<int> affinity;
};

/// `capabilities` is null for bare system calls, `writer` in modes of one thread; `program` is the binary to digest.
std::string cost_line(const Options& options, const Measurement& measurement, const dispatch::Capabilities* capabilities,
                      const WriterFacts* writer, const char* program);

}  // namespace cost
