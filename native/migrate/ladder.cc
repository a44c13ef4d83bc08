#include "migrate/ladder.h"

#include <algorithm>
#include <memory>

namespace migrate {
namespace {

constexpr Choice kRungs[] = {
    {Codec::none, 0}, {Codec::lz4, 1}, {Codec::zstd, 1}, {Codec::zstd, 3}, {Codec::zstd, 6},
};
constexpr std::size_t kTried = 2;                                             // blocks
constexpr process::Nanoseconds kInterval = 100 * process::kMillisecond;  // of one measurement of the link
/// A new measurement counts for so much of the rate.
constexpr double kWeight = 0.5;
/// Bytes a second: any faster link is as good as this one.
constexpr double kFastest = 1e12;

}  // namespace

void Ladder::climb(std::span<const std::byte> memory, unsigned workers) {
  workers_ = workers;
  rungs_.clear();
  const auto bench = std::make_unique<Workbench>();
  const std::size_t blocks = blocks_of(memory.size());
  const std::size_t tried = std::min(kTried, blocks);
  for (const Choice choice : kRungs) {
    if (!missing(choice.codec).empty()) continue;
    // From nothing, as in the first pass.
    Source fresh;
    if (!fresh.open(memory).empty()) continue;
    double cpu = 0, left = 0, bytes = 0;
    for (std::size_t i = 0; i < tried; ++i) {
      const auto block = static_cast<std::uint32_t>(i * blocks / tried);
      const Frame frame = fresh.frame(block, choice, *bench);
      cpu += static_cast<double>(frame.cpu) / 1e9;
      left += static_cast<double>(frame.bytes.size());
      bytes += static_cast<double>(block_bytes(memory.size(), block));
    }
    rungs_.push_back({choice, cpu / bytes, left / bytes});
  }
  // Nothing is known of the link yet: begin in the middle.
  at_ = rungs_.size() / 2;
}

void Ladder::measured(std::uint64_t bytes, bool full, process::Nanoseconds now) {
  bytes_ += bytes;
  filled_ = filled_ || full;
  if (since_ == 0) since_ = now;
  if (now - since_ < kInterval) return;
  const double rate = static_cast<double>(bytes_) / (static_cast<double>(now - since_) / 1e9);
  if (filled_) {
    // A guess from when it was not full is worth nothing beside it.
    link_ = link_ == 0 || link_ > 2 * rate ? rate : kWeight * rate + (1 - kWeight) * link_;
  } else {
    // It carried all there was: its rate is this one at least, and maybe much more.
    link_ = std::min(2 * std::max(link_, rate), kFastest);
  }
  bytes_ = 0;
  since_ = now;
  filled_ = false;
  if (link_ > 0) choose();
}

void Ladder::choose() noexcept {
  const auto pass = [this](const Rung& rung) { return std::max(rung.seconds / workers_, rung.left / link_); };
  // Of equals the first, which takes less CPU.
  const auto best = std::min_element(rungs_.begin(), rungs_.end(),
                                     [&](const Rung& one, const Rung& other) { return pass(one) < pass(other); });
  at_ = static_cast<std::size_t>(best - rungs_.begin());
}

}  // namespace migrate
