// The other thread of `wakeup-threads`: writes one byte to the pair it is told, after a gap in which the waiting thread
// falls asleep in the kernel.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "cost/pairs.h"
#include "process/clock.h"

namespace cost {

class ByteWriter {
 public:
  /// `cpus`: where the thread runs; with CPUs of its own it spins through the gap, else it sleeps, because spinning would
  /// keep the waiting thread from its CPU.
  ByteWriter(const Pairs& pairs, process::Nanoseconds gap, const std::vector<int>& cpus);
  ~ByteWriter();
  ByteWriter(const ByteWriter&) = delete;
  ByteWriter& operator=(const ByteWriter&) = delete;

  /// Asks for the next byte; the caller waits for it next.
  void ask(std::uint32_t pair) noexcept {
    pair_.store(pair, std::memory_order_relaxed);
    asked_.fetch_add(1, std::memory_order_release);
  }
  /// When the last byte was about to be written. The byte itself says that this is set.
  process::Nanoseconds written_at() const noexcept { return written_at_.load(std::memory_order_acquire); }

  bool spins() const noexcept { return spins_; }
  /// CPUs the thread may run on; settled once the first byte was written.
  const std::vector<int>& affinity() const noexcept { return affinity_; }

 private:
  void run(std::vector<int> cpus);
  void pass_gap(process::Nanoseconds since) const noexcept;

  const Pairs& pairs_;
  const process::Nanoseconds gap_;
  const bool spins_;
  std::vector<int> affinity_;
  std::atomic<std::uint32_t> pair_ = 0;
  std::atomic<std::uint64_t> asked_ = 0;
  std::atomic<process::Nanoseconds> written_at_ = 0;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace cost
