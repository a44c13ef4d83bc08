// High dynamic range histogram with HdrHistogram's bucket layout (http://hdrhistogram.org): values in nanoseconds from
// 1 ns to 1 h, three significant decimal digits (every bucket is narrower than 1/1000 of its values).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace load {

class Histogram {
 public:
  static constexpr std::int64_t kHighest = 3'600'000'000'000;  ///< 1 h; longer values are counted here
  static constexpr int kSubBucketBits = 11;                    ///< 2048 >= 2 * 10^3, HdrHistogram's rule for 3 digits
  static constexpr std::size_t kHalf = std::size_t{1} << (kSubBucketBits - 1);
  static constexpr std::size_t kBuckets = std::bit_width(static_cast<std::uint64_t>(kHighest)) - kSubBucketBits + 1;
  static constexpr std::size_t kCells = (kBuckets + 1) * kHalf;

  Histogram() : counts_(kCells) {}

  /// Counts one value, in constant time and without allocating. Below 0 counts as 0, above one hour as one hour.
  void record(std::int64_t nanoseconds) noexcept {
    ++counts_[cell(static_cast<std::uint64_t>(std::clamp<std::int64_t>(nanoseconds, 0, kHighest)))];
    ++total_;
  }

  void merge(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < kCells; ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
  }

  void clear() noexcept {
    std::fill(counts_.begin(), counts_.end(), 0);
    total_ = 0;
  }

  std::uint64_t total() const noexcept { return total_; }

  /// Counts by cell; lowest_value() says what a cell stands for.
  const std::vector<std::uint64_t>& counts() const noexcept { return counts_; }

  /// Smallest value of a cell, nanoseconds.
  static constexpr std::int64_t lowest_value(std::size_t index) noexcept {
    if (index < 2 * kHalf) return static_cast<std::int64_t>(index);
    const std::size_t bucket = index / kHalf - 1;
    return static_cast<std::int64_t>(index % kHalf + kHalf) << bucket;
  }

  /// Smallest value v such that at least `quantile` (0..1) of the recorded values are <= v's cell; 0 when empty.
  std::int64_t quantile(double quantile) const noexcept {
    const double wanted = std::max(1.0, quantile * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kCells; ++i) {
      seen += counts_[i];
      if (static_cast<double>(seen) >= wanted) return lowest_value(i);
    }
    return 0;
  }

 private:
  static std::size_t cell(std::uint64_t value) noexcept {
    const auto bucket = static_cast<std::size_t>(std::bit_width(value | (2 * kHalf - 1)) - kSubBucketBits);
    return bucket * kHalf + static_cast<std::size_t>(value >> bucket);
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace load
