// What the waiting thread and whoever writes to it share, in one memory: which pair is next, and when it was written.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "cost/options.h"
#include "cost/pairs.h"
#include "process/affinity.h"
#include "process/clock.h"

namespace cost {

struct Handoff {
  std::atomic<std::uint32_t> pair = 0;
  std::atomic<std::uint64_t> asked = 0;
  std::atomic<process::Nanoseconds> written_at = 0;
  std::atomic<bool> ending = false;
  std::array<int, 1024> cpus{};  ///< on which the writer may run; settled once the first byte was written
  std::atomic<std::uint32_t> cpu_count = 0;

  /// Asks for the next byte; the caller waits for it next.
  void ask(std::uint32_t next) noexcept {
    pair.store(next, std::memory_order_relaxed);
    asked.fetch_add(1, std::memory_order_release);
  }
  std::vector<int> affinity() const { return {cpus.begin(), cpus.begin() + cpu_count.load(std::memory_order_acquire)}; }
};

/// Where and how a writer runs. With CPUs of its own it spins through the gap, in which the waiting thread falls asleep in
/// the kernel; else it sleeps, because spinning would keep the waiting thread from its CPU.
struct WriterSetting {
  explicit WriterSetting(const Options& options)
      : gap(static_cast<process::Nanoseconds>(options.gap_us) * process::kMicrosecond),
        cpus(options.cpus.size() > 1 ? std::vector(options.cpus.begin() + 1, options.cpus.end()) : std::vector<int>()) {}
  bool spins() const noexcept { return !cpus.empty(); }

  process::Nanoseconds gap;
  std::vector<int> cpus;
};

inline void pass_gap(const WriterSetting& setting, process::Nanoseconds since) {
  if (!setting.spins()) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(setting.gap));
    return;
  }
  while (process::monotonic_now() - since < setting.gap) {}
}

/// Writes what is asked for, until `handoff.ending` or idle() says so; idle() is called while nothing is asked for.
template <class Idle>
void write_as_asked(Handoff& handoff, const Pairs& pairs, const WriterSetting& setting, Idle idle) {
  // The caller has checked that these CPUs exist; what holds is reported.
  if (setting.spins()) process::set_thread_affinity(setting.cpus);
  const std::vector<int> held = process::affinity();
  const std::size_t count = std::min(held.size(), handoff.cpus.size());
  std::copy_n(held.begin(), count, handoff.cpus.begin());
  handoff.cpu_count.store(static_cast<std::uint32_t>(count), std::memory_order_release);
  for (std::uint64_t done = 0; !handoff.ending;) {
    if (handoff.asked.load(std::memory_order_acquire) == done) {
      if (!idle()) return;
      if (!setting.spins()) std::this_thread::yield();
      continue;
    }
    ++done;
    pass_gap(setting, process::monotonic_now());
    const std::uint32_t pair = handoff.pair.load(std::memory_order_relaxed);
    handoff.written_at.store(process::monotonic_now(), std::memory_order_release);
    pairs.write(pair);
  }
}

}  // namespace cost
