// A round of `loud-talker`: one pair holds `writes` further bytes beside its first, `active` - 1 quiet ones hold one byte
// each, and a handler reads at most `budget` bytes, one by one. Timed from the first wait until the last quiet one was read:
// how long those wait whom the loud one holds up. What is left of the loud one is read afterwards. An event is a quiet byte;
// what was read of the loud one meanwhile is counted.
//
// An edge-triggered mechanism does not repeat itself: there the handler reads until nothing is left, whatever the budget.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>

#include "cost/counted.h"
#include "cost/options.h"
#include "cost/pairs.h"
#include "cost/random.h"
#include "cost/waiter.h"
#include "process/clock.h"

namespace cost {

template <class Waiter>
class LoudTalker {
 public:
  LoudTalker(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter),
        pairs_(pairs),
        active_(options.active),
        loud_bytes_(1 + options.writes),
        budget_(waiter.repeats() ? options.budget : UINT32_MAX),
        draw_(pairs.size(), options.seed),
        untimed_(waiter) {}

  std::string open() const {
    if (active_ < 2) return "--active must be 2 or more: one loud talker, and those that wait";
    if (loud_bytes_ > kMostBytes) {
      return "--writes must be less than " + std::to_string(kMostBytes) + ", which a socket holds for certain one by one";
    }
    return "";
  }

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() {
    const auto chosen = draw_.some(active_);
    const std::uint32_t loud = chosen[0];
    bool whole = true;
    for (std::uint32_t i = 0; i < loud_bytes_; ++i) whole &= pairs_.write(loud);
    for (const std::uint32_t pair : chosen.subspan(1)) whole &= pairs_.write(pair);
    if (!whole) return -EPROTO;
    std::uint32_t quiet_left = active_ - 1;
    std::uint32_t loud_left = loud_bytes_;
    process::Nanoseconds end = 0;
    const auto serve = [&](std::uint32_t pair) {
      if (pair == loud) {
        const std::uint32_t read = read_some(pair, loud_left);
        loud_left -= read;
        if (quiet_left > 0) meanwhile_ += read;
        return;
      }
      if (!pairs_.read(pair)) return;  // told twice
      --quiet_left;
      ++events_;
      if (quiet_left == 0 && end == 0) end = process::monotonic_now();
    };
    const auto serve_while = [&](const std::uint32_t& left) {
      int error = 0;
      while (left > 0 && error == 0) error = waiter_.wait(serve);
      return error;
    };
    const process::Nanoseconds start = process::monotonic_now();
    int error = serve_while(quiet_left);
    if (error == 0) error = untimed_([&] { return serve_while(loud_left); });
    return error != 0 ? -error : end - start;
  }

  /// Quiet bytes read, since the start.
  std::uint64_t events() const noexcept { return events_; }
  const Effort& untimed() const noexcept { return untimed_.effort(); }
  Counted counted() const { return {{"loudBytesMeanwhile", meanwhile_}}; }

 private:
  static constexpr std::uint32_t kMostBytes = 200;

  std::uint32_t read_some(std::uint32_t pair, std::uint32_t left) {
    std::uint32_t read = 0;
    while (read < budget_ && read < left && pairs_.read(pair)) ++read;
    return read;
  }

  Waiter& waiter_;
  const Pairs& pairs_;
  const std::uint32_t active_;
  const std::uint32_t loud_bytes_;
  const std::uint32_t budget_;
  ActivePairs draw_;
  Untimed<Waiter> untimed_;
  std::uint64_t events_ = 0;
  std::uint64_t meanwhile_ = 0;
};

}  // namespace cost
