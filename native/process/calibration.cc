#include "process/calibration.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <new>
#include <thread>

#include "process/affinity.h"

namespace process {
namespace {

inline std::uint64_t xorshift(std::uint64_t x) noexcept {
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return x;
}

/// Keeps the compiler from dropping what led to `value`.
void consume(std::uint64_t value) noexcept {
  volatile std::uint64_t sink = value;
  (void)sink;
}

constexpr std::uint64_t kSeed = 0x9e3779b97f4a7c15u;

/// Independent chains: more work at hand than one core's units can do at a time.
void fill_units(std::uint32_t rounds) noexcept {
  std::array<std::uint64_t, 8> chains{};
  for (std::size_t i = 0; i < chains.size(); ++i) chains[i] = kSeed + i;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    for (std::uint64_t& chain : chains) chain = xorshift(chain);
  }
  for (const std::uint64_t chain : chains) consume(chain);
}

/// Work of the partner between two looks at whether it may stop.
constexpr std::uint32_t kLookRounds = 256;

}  // namespace

Nanoseconds calibration_spin(std::uint32_t rounds) noexcept {
  const Nanoseconds start = monotonic_now();
  std::uint64_t x = kSeed;
  for (std::uint32_t i = 0; i < rounds; ++i) x = xorshift(x);
  consume(x);
  return monotonic_now() - start;
}

double memory_walk(std::size_t bytes, std::uint32_t steps) noexcept {
  struct alignas(64) Line {
    std::uint32_t next;
  };
  const auto count = static_cast<std::uint32_t>(bytes / sizeof(Line));
  const std::unique_ptr<Line[]> lines(count > 1 ? new (std::nothrow) Line[count] : nullptr);
  if (!lines || steps == 0) return 0;
  for (std::uint32_t i = 0; i < count; ++i) lines[i].next = i;
  // Sattolo's shuffle: one cycle through all lines, in an order that no prefetcher knows.
  std::uint64_t random = kSeed;
  for (std::uint32_t i = count - 1; i > 0; --i) {
    random = xorshift(random);
    std::swap(lines[i].next, lines[random % i].next);
  }
  const Nanoseconds start = monotonic_now();
  std::uint32_t at = 0;
  for (std::uint32_t step = 0; step < steps; ++step) at = lines[at].next;
  consume(at);
  return static_cast<double>(monotonic_now() - start) / steps;
}

Nanoseconds paired_spin(std::uint32_t rounds, int cpu, int partner) {
  std::atomic<bool> joined{partner < 0};
  std::atomic<bool> stop{false};
  std::atomic<bool> placed{true};
  std::thread other;
  if (partner >= 0) {
    other = std::thread([&] {
      if (set_thread_affinity({partner}) != 0) placed = false;
      joined = true;
      while (!stop) fill_units(kLookRounds);
    });
  }
  Nanoseconds spent = 0;
  std::thread one([&] {
    if (set_thread_affinity({cpu}) != 0) placed = false;
    while (!joined) std::this_thread::yield();
    const Nanoseconds start = thread_cpu_now();
    fill_units(rounds);
    spent = thread_cpu_now() - start;
  });
  one.join();
  stop = true;
  if (other.joinable()) other.join();
  return placed ? spent : 0;
}

}  // namespace process
