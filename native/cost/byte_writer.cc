#include "cost/byte_writer.h"

#include <chrono>

#include "process/affinity.h"

namespace cost {

ByteWriter::ByteWriter(const Pairs& pairs, process::Nanoseconds gap, const std::vector<int>& cpus)
    : pairs_(pairs), gap_(gap), spins_(!cpus.empty()), thread_(&ByteWriter::run, this, cpus) {}

ByteWriter::~ByteWriter() {
  ending_ = true;
  thread_.join();
}

void ByteWriter::run(std::vector<int> cpus) {
  // The caller has checked that these CPUs exist; what holds is reported.
  if (!cpus.empty()) process::set_thread_affinity(cpus);
  affinity_ = process::affinity();
  for (std::uint64_t done = 0; !ending_; ) {
    if (asked_.load(std::memory_order_acquire) == done) {
      if (!spins_) std::this_thread::yield();
      continue;
    }
    ++done;
    pass_gap(process::monotonic_now());
    const std::uint32_t pair = pair_.load(std::memory_order_relaxed);
    written_at_.store(process::monotonic_now(), std::memory_order_release);
    pairs_.write(pair);
  }
}

void ByteWriter::pass_gap(process::Nanoseconds since) const noexcept {
  if (!spins_) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(gap_));
    return;
  }
  while (process::monotonic_now() - since < gap_) {}
}

}  // namespace cost
