#include "links/line.h"

#include <algorithm>

namespace links {

bool Line::falls_out() noexcept {
  constexpr std::uint64_t kAll = 1'000'000'000;
  // 32 bits scaled by a product: the same losses with every standard library. Drawn for every packet, so that a seed
  // stands for one sequence whatever the other settings are.
  return ((random_() >> 32) * kAll >> 32) < shape_.loss_ppb;
}

Nanoseconds Line::transmission(std::uint32_t size) noexcept {
  if (shape_.bits_per_second == 0) return 0;
  const std::uint64_t work = std::uint64_t{size} * 8 * process::kSecond + rest_;
  rest_ = work % shape_.bits_per_second;
  return static_cast<Nanoseconds>(work / shape_.bits_per_second);
}

Fate Line::take(Nanoseconds now, std::uint32_t size, Slot slot) {
  ++totals_.packets;
  totals_.bytes += size;
  if (falls_out()) {
    ++totals_.lost;
    return Fate::lost;
  }
  if (held_.size() >= shape_.limit) {
    ++totals_.overflowed;
    return Fate::overflowed;
  }
  last_due_ = std::max(now + shape_.delay, last_due_) + transmission(size);
  held_.push_back({last_due_, size, slot});
  return Fate::held;
}

void Line::release(Nanoseconds now, bool refused) {
  const Held& first = held_.front();
  if (refused) {
    ++totals_.overflowed;
  } else {
    ++totals_.passed;
    totals_.passed_bytes += first.size;
    lateness_.record(now - first.due);
    late_ += now - first.due;
  }
  held_.pop_front();
}

void Line::missed(std::uint64_t packets) noexcept {
  totals_.packets += packets;
  totals_.overflowed += packets;
}

double Line::mean_lateness() const noexcept {
  return totals_.passed == 0 ? 0 : static_cast<double>(late_) / static_cast<double>(totals_.passed);
}

void Line::change(const Shape& shape) noexcept {
  shape_ = shape;
  rest_ = 0;
}

void Line::restart() {
  totals_ = {};
  lateness_.clear();
  late_ = 0;
}

}  // namespace links
