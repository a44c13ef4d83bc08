// The other process of `wakeup-processes`: a fork of this one that shares its descriptors and one page.
#pragma once

#include <sys/types.h>

#include <string>

#include "cost/handoff.h"

namespace cost {

class ProcessWriter {
 public:
  ProcessWriter(const Pairs& pairs, const Options& options) : pairs_(pairs), setting_(options) {}
  ~ProcessWriter();
  ProcessWriter(const ProcessWriter&) = delete;
  ProcessWriter& operator=(const ProcessWriter&) = delete;

  /// Forks; call it before there are threads. One sentence on what failed, empty when the process runs. It ends with this
  /// one, however this one ends.
  std::string start();
  Handoff& handoff() noexcept { return *handoff_; }
  const Handoff& handoff() const noexcept { return *handoff_; }
  bool spins() const noexcept { return setting_.spins(); }

 private:
  const Pairs& pairs_;
  const WriterSetting setting_;
  Handoff* handoff_ = nullptr;
  pid_t child_ = -1;
};

}  // namespace cost
