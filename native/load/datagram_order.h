// In which order the flows of a client get their datagrams. Seeded, so that a run can be repeated.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace load {

enum class PortOrder : std::uint8_t {
  random,       ///< every port equally likely
  round_robin,  ///< one after the other
  zipf          ///< the k-th port with probability proportional to 1 / k
};

class FlowOrder {
 public:
  FlowOrder(PortOrder order, std::uint32_t flows, std::uint64_t seed) : order_(order), flows_(flows), random_(seed) {
    if (order_ != PortOrder::zipf) return;
    double sum = 0;
    for (std::uint32_t k = 1; k <= flows; ++k) cumulative_.push_back(sum += 1.0 / k);
  }

  std::uint32_t next() noexcept {
    if (order_ == PortOrder::round_robin) return turn_ = turn_ + 1 < flows_ ? turn_ + 1 : 0;
    const std::uint64_t draw = random_() >> 32;  // 32 bits scaled by a product: no division, no visible bias
    if (order_ == PortOrder::random) return static_cast<std::uint32_t>(draw * flows_ >> 32);
    const double wanted = static_cast<double>(draw) * 0x1p-32 * cumulative_.back();
    const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end(), wanted) - cumulative_.begin();
    return std::min(static_cast<std::uint32_t>(at), flows_ - 1);
  }

 private:
  PortOrder order_;
  std::uint32_t flows_;
  std::uint32_t turn_ = ~std::uint32_t{0};  // so that the first is 0
  std::vector<double> cumulative_;
  std::mt19937_64 random_;
};

}  // namespace load
