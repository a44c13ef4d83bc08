// A round of `drain` is the round of libevent's test/bench.c: `active` bytes lie ready in as many of the pairs, handlers
// read one byte each and forward `writes` further ones, until all have been read.
//
// a) As there, the clock starts after the first bytes were written, before the first wait, and stops when the last byte
//    was read. The forwarded writes lie inside, the first ones and registration outside.
// b) A pair never holds two bytes, so that every byte is an event of its own on every mechanism, edge-triggered ones
//    included, and events are counted before they are measured: active + writes a round. libevent forwards to the next
//    pair; here that is skipped for the pair just read when the next one still holds a byte.
// c) Something is always ready at a wait, so a blocking wait never sleeps; libevent polls instead. What a wake-up costs is
//    the other modes' question.
// d) Active pairs are drawn each round; libevent spaces them evenly.
#pragma once

#include <cerrno>
#include <cstdint>
#include <vector>

#include "cost/options.h"
#include "cost/pairs.h"
#include "cost/random.h"
#include "process/clock.h"

namespace cost {

template <class Waiter>
class Drain {
 public:
  Drain(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter),
        pairs_(pairs),
        active_(options.active),
        writes_(options.writes),
        draw_(pairs.size(), options.seed),
        holds_byte_(pairs.size()) {}

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() {
    for (const std::uint32_t pair : draw_.some(active_)) write(pair);
    std::uint32_t left = active_ + writes_;
    std::uint32_t to_forward = writes_;
    int error = 0;
    const process::Nanoseconds start = process::monotonic_now();
    while (left > 0 && error == 0 && whole_) {
      error = waiter_.wait([&](std::uint32_t pair) {
        whole_ &= pairs_.read(pair);
        holds_byte_[pair] = 0;
        --left;
        ++events_;
        if (to_forward == 0) return;
        --to_forward;
        const std::uint32_t next = pair + 1 < pairs_.size() ? pair + 1 : 0;
        write(holds_byte_[next] != 0 ? pair : next);
      });
    }
    const process::Nanoseconds end = process::monotonic_now();
    return error != 0 ? -error : whole_ ? end - start : -EPROTO;
  }

  /// Since the start.
  std::uint64_t events() const noexcept { return events_; }

 private:
  void write(std::uint32_t pair) noexcept {
    whole_ &= pairs_.write(pair);
    holds_byte_[pair] = 1;
  }

  Waiter& waiter_;
  const Pairs& pairs_;
  const std::uint32_t active_;
  const std::uint32_t writes_;
  ActivePairs draw_;
  std::vector<std::uint8_t> holds_byte_;
  bool whole_ = true;  // no byte was lost
  std::uint64_t events_ = 0;
};

}  // namespace cost
