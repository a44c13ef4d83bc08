// The one line of dispatchbench-dispatch-cost, src/contract/cost.ts.
#pragma once

#include <string>
#include <vector>

#include "cost/measure.h"
#include "cost/options.h"
#include "dispatch/backend.h"

namespace cost {

/// The other thread or process of a wake-up.
struct WriterFacts {
  bool spins = false;  ///< through its gap; else it sleeps
  std::vector<int> affinity;
};

/// What a program knows beside options and figures.
struct Facts {
  const dispatch::Capabilities* capabilities = nullptr;  ///< of a Poller; others have none
  const WriterFacts* writer = nullptr;                   ///< in modes with another thread or process
  const char* library = nullptr;                         ///< whose loop it is, by its name in `versions`
  std::string library_version = {};
  const char* program = "";  ///< the binary to digest
};

std::string cost_line(const Options& options, const Measurement& measurement, const Facts& facts);

}  // namespace cost
