// Which pairs are active: a seeded draw, the same for every backend, so that a run can be repeated.
#pragma once

#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace cost {

class ActivePairs {
 public:
  ActivePairs(std::uint32_t pairs, std::uint64_t seed) : order_(pairs), random_(seed) {
    std::iota(order_.begin(), order_.end(), 0u);
  }

  std::uint32_t one() noexcept { return below(static_cast<std::uint32_t>(order_.size())); }

  /// `count` different pairs, each set equally likely: the first steps of a Fisher-Yates shuffle. Valid until the next
  /// call.
  std::span<const std::uint32_t> some(std::uint32_t count) noexcept {
    const auto size = static_cast<std::uint32_t>(order_.size());
    for (std::uint32_t i = 0; i < count; ++i) std::swap(order_[i], order_[i + below(size - i)]);
    return std::span(order_).first(count);
  }

 private:
  /// 32 bits scaled by a product: no division, no visible bias; the same numbers with every standard library.
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>((random_() >> 32) * bound >> 32);
  }

  std::vector<std::uint32_t> order_;
  std::mt19937_64 random_;
};

}  // namespace cost
