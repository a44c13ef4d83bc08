#include "transfer/adaptive.h"

#include <algorithm>
#include <string_view>

namespace transfer {
namespace {

using process::kMillisecond;
using process::Nanoseconds;

struct Manner {
  std::string_view name;
  Nanoseconds below;          ///< round trips of this class
  std::uint32_t first;        ///< streams to begin with
  bool grows;                 ///< doublings are believed at once, until one does not pay
  std::uint32_t doubts;       ///< half stretches that such a doubling has to show that it does not pay
  Nanoseconds settle;         ///< at least, and so many round trips
  std::int64_t settle_trips;
  Nanoseconds stretch;        ///< likewise
  std::int64_t stretch_trips;
  double pays;                ///< more are taken whose goodput is so many times that of fewer
  double keeps;               ///< fewer are taken whose goodput is so many times that of more
  std::array<std::uint32_t, 2> agreed;  ///< trials in a row that have to say so, of more and of fewer
};

constexpr std::array<Manner, 3> kManners = {{
    {"loopback", kMillisecond / 5, 1, false, 1, 20 * kMillisecond, 20, 80 * kMillisecond, 60, 1.03, 0.99, {2, 2}},
    {"datacenter", 3 * kMillisecond, 2, true, 2, 40 * kMillisecond, 12, 100 * kMillisecond, 30, 1.03, 0.99, {2, 2}},
    {"wan", INT64_MAX, 16, true, 4, 100 * kMillisecond, 4, 200 * kMillisecond, 8, 1.03, 1.00, {1, 2}},
}};
/// Stretches.
constexpr double kShortestRest = 2;
constexpr double kLongestRest = 128;
/// What a trial may cost, of what is carried until the next one.
constexpr double kPrice = 0.02;
/// A goodput this far from what the same streams had before is that of another link, if two stretches in a row have it.
constexpr double kChanged = 0.7;

const Manner& manner_of(LinkClass link) noexcept { return kManners[static_cast<std::size_t>(link)]; }

}  // namespace

const char* name_of(LinkClass link) noexcept { return manner_of(link).name.data(); }

LinkClass class_of(Nanoseconds round_trip) noexcept {
  std::size_t at = 0;
  while (round_trip >= kManners[at].below && at + 1 < kManners.size()) ++at;
  return static_cast<LinkClass>(at);
}

void Adaptive::begin(Nanoseconds now, Nanoseconds round_trip) {
  round_trip_ = round_trip;
  link_ = class_of(round_trip);
  const Manner& manner = manner_of(link_);
  settle_ = std::max(manner.settle, manner.settle_trips * round_trip);
  stretch_ = std::max(manner.stretch, manner.stretch_trips * round_trip);
  began_ = now;
  held_ = std::min(manner.first, most_);
  take(now, held_, manner.grows ? Phase::growing : Phase::holding);
}

void Adaptive::take(Nanoseconds now, std::uint32_t streams, Phase phase) {
  streams_ = streams;
  phase_ = phase;
  turns_.push_back({.at = now - began_, .streams = streams});
  settling_ = true;
  due_ = now + settle_;
}

void Adaptive::look(Nanoseconds now, std::uint64_t arrived) {
  if (now < due_) return;
  const double goodput = static_cast<double>(arrived - arrived_) / static_cast<double>(std::max<Nanoseconds>(now - from_, 1));
  arrived_ = arrived;
  from_ = now;
  due_ = now + (phase_ == Phase::growing ? stretch_ / 2 : stretch_);
  if (settling_) {
    settling_ = false;
    return;
  }
  switch (phase_) {
    case Phase::growing: return grow(now, goodput);
    case Phase::holding: return hold(now, goodput);
    case Phase::trying:
      tried_ = goodput;
      return take(now, held_, Phase::back);
    case Phase::back: return judge(now, goodput);
  }
}

void Adaptive::grow(Nanoseconds now, double goodput) {
  const Manner& manner = manner_of(link_);
  if (streams_ != held_ && goodput < manner.pays * goodput_) {
    if (++doubted_ < manner.doubts) return;
    rest_from(more, goodput / goodput_);
    return take(now, held_, Phase::holding);
  }
  if (streams_ != held_) rest_from(fewer, goodput_ / goodput);
  doubted_ = 0;
  held_ = streams_;
  goodput_ = goodput;
  if (streams_ < most_) {
    take(now, there(more), Phase::growing);
  } else {
    phase_ = Phase::holding;
  }
}

void Adaptive::hold(Nanoseconds now, double goodput) {
  goodput_ = goodput;
  if (changed(goodput)) rests_ = {};
  for (const Direction way : {more, fewer}) {
    Rest& rest = rests_[way];
    if (rest.left > 0) --rest.left;
    if (rest.left > 0 || there(way) == held_ || phase_ == Phase::trying) continue;
    way_ = way;
    take(now, there(way), Phase::trying);
  }
}

/// What the trial showed, now that the number that holds was measured before and behind it.
void Adaptive::judge(Nanoseconds now, double goodput) {
  const Manner& manner = manner_of(link_);
  const double ratio = 2 * tried_ / (goodput_ + goodput);
  goodput_ = goodput;
  const bool better = ratio >= (way_ == more ? manner.pays : manner.keeps);
  agreed_ = better ? agreed_ + 1 : 0;
  if (better && agreed_ < manner.agreed[way_]) return take(now, there(way_), Phase::trying);
  phase_ = Phase::holding;
  if (!better) return rest_from(way_, ratio);
  // Further that way at once; and what the other way brings has just been seen.
  agreed_ = 0;
  rests_ = {};
  rest_from(way_ == more ? fewer : more, 1 / ratio);
  held_ = there(way_);
  usual_ = 0;
  take(now, held_, Phase::holding);
}

bool Adaptive::changed(double goodput) noexcept {
  const bool strange = usual_ > 0 && (goodput < kChanged * usual_ || goodput * kChanged > usual_);
  strange_ = strange ? strange_ + 1 : 0;
  if (usual_ == 0 || strange_ > 1) usual_ = goodput;
  if (strange_ < 2) return false;
  strange_ = 0;
  return true;
}

std::uint32_t Adaptive::there(Direction way) const noexcept {
  return way == more ? std::min(2 * held_, most_) : std::max(held_ / 2, 1u);
}

/// Twice as long as before, and so long that the trial, whose number brought `ratio` of the other one's, was worth its price.
void Adaptive::rest_from(Direction way, double ratio) noexcept {
  const double trial = static_cast<double>(settle_ + stretch_) / static_cast<double>(stretch_);
  Rest& rest = rests_[way];
  const double wanted = std::max({kShortestRest, 2.0 * rest.last, (1 - ratio) * trial / kPrice});
  rest.left = rest.last = static_cast<std::uint32_t>(std::min(wanted, kLongestRest));
}

}  // namespace transfer
