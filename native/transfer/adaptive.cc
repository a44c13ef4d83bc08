#include "transfer/adaptive.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace transfer {
namespace {

using process::kMillisecond;
using process::Nanoseconds;

struct Manner {
  std::string_view name;
  Nanoseconds below;         ///< round trips of this class
  std::uint32_t first;       ///< streams to begin with
  Nanoseconds settle;        ///< at least, and so many round trips
  std::int64_t settle_trips;
  Nanoseconds stretch;       ///< likewise
  std::int64_t stretch_trips;
  double pays;               ///< goodput over that of half as many streams
  std::uint32_t doubts;      ///< stretches that a doubling has to show that it does not pay
};

constexpr std::array<Manner, 3> kManners = {{
    {"loopback", kMillisecond / 5, 1, 20 * kMillisecond, 20, 60 * kMillisecond, 60, 1.10, 1},
    {"datacenter", 3 * kMillisecond, 2, 40 * kMillisecond, 12, 100 * kMillisecond, 30, 1.08, 1},
    {"wan", INT64_MAX, 4, 100 * kMillisecond, 4, 200 * kMillisecond, 8, 1.05, 3},
}};
constexpr std::uint32_t kFirstPause = 4;
constexpr std::uint32_t kLongestPause = 128;
/// A figure this far from what the same streams had before is that of another link.
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
  pause_ = kFirstPause;
  take(now, std::min(manner.first, most_));
}

void Adaptive::take(Nanoseconds now, std::uint32_t streams) {
  streams_ = streams;
  turns_.push_back({.at = now - began_, .streams = streams});
  doubted_ = 0;
  phase_ = Phase::settling;
  due_ = now + settle_;
}

void Adaptive::look(Nanoseconds now, std::uint64_t arrived) {
  if (now < due_) return;
  const double goodput = static_cast<double>(arrived - arrived_) / static_cast<double>(std::max<Nanoseconds>(now - from_, 1));
  const Phase phase = phase_;
  arrived_ = arrived;
  from_ = now;
  due_ = now + stretch_;
  if (phase == Phase::settling) {
    phase_ = Phase::judging;
  } else if (phase == Phase::judging) {
    judge(now, goodput);
  } else {
    const bool changed = goodput < kChanged * best_ || goodput * kChanged > best_;
    if (changed) best_ = goodput;
    grow(now);
  }
}

void Adaptive::grow(Nanoseconds now) {
  if (streams_ < most_) {
    take(now, std::min(2 * streams_, most_));
  } else {
    phase_ = Phase::resting;
    due_ = now + stretch_ * pause_;
  }
}

void Adaptive::judge(Nanoseconds now, double goodput) {
  const Manner& manner = manner_of(link_);
  if (best_streams_ == 0 || streams_ == best_streams_ || goodput >= manner.pays * best_) {
    const bool is_back = streams_ == best_streams_;
    best_ = goodput;
    best_streams_ = streams_;
    if (!is_back) {
      pause_ = kFirstPause;
      grow(now);
      return;
    }
    phase_ = Phase::resting;
    due_ = now + stretch_ * pause_;
    pause_ = std::min(2 * pause_, kLongestPause);
    return;
  }
  if (++doubted_ >= manner.doubts) take(now, best_streams_);
}

}  // namespace transfer
