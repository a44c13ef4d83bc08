// Page sets by seed: what is moved where no guest's memory is. A set is a run of pieces of 1 MiB, each of which is laid out as
// the one that a published comparison compresses (docs/migrate.md), so that one piece has its ratios:
//   zeros   nothing else
//   text    a sentence of 57 characters, again and again
//   vm      60 % zeros, 30 % a word of 20 characters again and again, 10 % random
//   mixed   40 % zeros, 30 % the bytes AA 55, 30 % random
//   random  nothing else
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <thread>

#include "process/clock.h"

namespace migrate {

/// splitmix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t word = state_ += 0x9E3779B97F4A7C15;
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9;
    word = (word ^ word >> 27) * 0x94D049BB133111EB;
    return word ^ word >> 31;
  }
  /// 0 .. below - 1
  std::uint64_t below(std::uint64_t below) noexcept { return next() % below; }

 private:
  std::uint64_t state_;
};

enum class PageSet : std::uint8_t { zeros, text, vm, mixed, random };
inline constexpr std::string_view kPageSets[] = {"zeros", "text", "vm", "mixed", "random"};

/// `memory` is zeros before.
void fill(std::span<std::byte> memory, PageSet set, std::uint64_t seed) noexcept;

/// Puts other values into so many millionths of the words of 8 bytes, wherever chance has it.
void dirty(std::span<std::byte> memory, std::uint32_t millionths, Random& random) noexcept;

/// Writes into memory at a rate while it is being moved, as a guest that goes on running does: words of 8 bytes with new
/// values, spread over the whole.
class Dirtier {
 public:
  Dirtier(std::span<std::byte> memory, std::uint64_t seed) noexcept : memory_(memory), random_(seed) {}
  Dirtier(const Dirtier&) = delete;
  Dirtier& operator=(const Dirtier&) = delete;
  ~Dirtier() { stop(); }

  /// `pages_per_second`: one word in each of so many.
  void start(std::uint64_t pages_per_second);
  /// What it wrote is written.
  void stop();
  std::uint64_t written() const noexcept { return written_.load(std::memory_order_relaxed); }

 private:
  void run(std::uint64_t pages_per_second);

  std::span<std::byte> memory_;
  Random random_;
  std::atomic<bool> ending_{false};
  std::atomic<std::uint64_t> written_{0};  ///< pages
  std::thread thread_;
};

}  // namespace migrate
