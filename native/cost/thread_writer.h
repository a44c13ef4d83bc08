// The other thread of `wakeup-threads`.
#pragma once

#include <string>
#include <thread>

#include "cost/handoff.h"

namespace cost {

class ThreadWriter {
 public:
  ThreadWriter(const Pairs& pairs, const Options& options) : pairs_(pairs), setting_(options) {}
  ~ThreadWriter() {
    handoff_.ending = true;
    if (thread_.joinable()) thread_.join();
  }
  ThreadWriter(const ThreadWriter&) = delete;
  ThreadWriter& operator=(const ThreadWriter&) = delete;

  std::string start() {
    thread_ = std::thread([this] { write_as_asked(handoff_, pairs_, setting_, [] { return true; }); });
    return "";
  }
  Handoff& handoff() noexcept { return handoff_; }
  const Handoff& handoff() const noexcept { return handoff_; }
  bool spins() const noexcept { return setting_.spins(); }

 private:
  const Pairs& pairs_;
  const WriterSetting setting_;
  Handoff handoff_;
  std::thread thread_;
};

}  // namespace cost
