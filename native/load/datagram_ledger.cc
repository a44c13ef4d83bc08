#include "load/datagram_ledger.h"

#include <algorithm>

namespace load {

namespace {
constexpr std::uint64_t kWordBits = 64;
constexpr std::uint64_t kMask = ReceiveWindow::kSpan - 1;
}  // namespace

void DatagramCounts::add(const DatagramCounts& other) noexcept {
  sent += other.sent;
  received += other.received;
  late += other.late;
  reordered += other.reordered;
  duplicates += other.duplicates;
  unattributable += other.unattributable;
  corrupted += other.corrupted;
  truncated += other.truncated;
  unreachable += other.unreachable;
  foreign += other.foreign;
}

bool ReceiveWindow::exchange(std::uint64_t sequence) noexcept {
  const std::uint64_t at = sequence & kMask;
  std::uint64_t& word = bits_[at / kWordBits];
  const std::uint64_t bit = std::uint64_t{1} << (at % kWordBits);
  const bool was = (word & bit) != 0;
  word |= bit;
  return was;
}

void ReceiveWindow::clear(std::uint64_t from, std::uint64_t to) noexcept {
  if (to - from >= kSpan) {
    std::fill(bits_.begin(), bits_.end(), 0);
    return;
  }
  for (; from < to; ++from) {
    const std::uint64_t at = from & kMask;
    bits_[at / kWordBits] &= ~(std::uint64_t{1} << (at % kWordBits));
  }
}

ReceiveWindow::Arrival ReceiveWindow::mark(std::uint64_t sequence) {
  if (sequence >= next_) {
    // Until the ring is full size no sequence number wraps, so growing it moves nothing.
    const std::uint64_t words = std::min(sequence, kMask) / kWordBits + 1;
    if (words > bits_.size()) bits_.resize(std::min(std::max<std::uint64_t>(words, 2 * bits_.size()), kSpan / kWordBits));
    if (sequence >= kSpan) clear(next_, sequence + 1);
    exchange(sequence);
    next_ = sequence + 1;
    return Arrival::in_order;
  }
  if (next_ - sequence > kSpan) return Arrival::beyond;
  return exchange(sequence) ? Arrival::duplicate : Arrival::reordered;
}

void Outstanding::push(const Times& times) {
  if (end_ - first_ == ring_.size()) {
    std::vector<Entry> larger(std::max<std::size_t>(4, ring_.size() * 2));
    for (std::uint64_t s = first_; s < end_; ++s) larger[s & (larger.size() - 1)] = ring_[s & (ring_.size() - 1)];
    ring_ = std::move(larger);
  }
  ring_[end_++ & (ring_.size() - 1)] = {times, true};
}

void Outstanding::remove(std::uint64_t sequence) noexcept {
  ring_[sequence & (ring_.size() - 1)].open = false;
  while (first_ < end_ && !ring_[first_ & (ring_.size() - 1)].open) ++first_;
}

std::uint64_t FlowLedger::send(Nanoseconds intended, Nanoseconds actual) {
  if (keep_times_) outstanding_.push({intended, actual});
  return sent_++;
}

void FlowLedger::unsend() noexcept {
  if (keep_times_) outstanding_.pop_newest();
  --sent_;
}

bool FlowLedger::settle(bool identified, std::uint64_t sequence) noexcept {
  if (!identified) {
    if (identity_ != Identity::none || outstanding_.empty()) return false;
    sequence = outstanding_.oldest();
  }
  if (!outstanding_.contains(sequence)) return false;
  outstanding_.remove(sequence);
  return true;
}

std::uint64_t FlowLedger::expire(Nanoseconds limit) noexcept {
  std::uint64_t expired = 0;
  while (!outstanding_.empty() && outstanding_.times(outstanding_.oldest()).actual <= limit) {
    outstanding_.remove(outstanding_.oldest());
    ++expired;
  }
  return expired;
}

FlowLedger::Receipt FlowLedger::receive_anonymous(Nanoseconds now, Nanoseconds timeout, DatagramCounts& counts) {
  Receipt receipt;
  if (received_ == sent_) {
    ++counts.duplicates;
    return receipt;
  }
  receipt.answered = true;
  if (!outstanding_.empty()) {
    receipt.timed = receipt.settled = true;
    receipt.times = outstanding_.times(outstanding_.oldest());
    outstanding_.remove(outstanding_.oldest());
  }
  receipt.late = !receipt.timed || now - receipt.times.actual > timeout;
  return receipt;
}

FlowLedger::Receipt FlowLedger::receive(const DatagramFormat::Reading& reading, Nanoseconds now, Nanoseconds timeout,
                                        DatagramCounts& counts) {
  Receipt receipt;
  const std::uint64_t sequence = reading.stamp.sequence;
  if (reading.verdict != DatagramFormat::Verdict::intact || (reading.identified && sequence >= sent_)) {
    ++(reading.verdict == DatagramFormat::Verdict::truncated ? counts.truncated : counts.corrupted);
    receipt.settled = settle(reading.identified, sequence);
    return receipt;
  }
  if (identity_ == Identity::none) {
    receipt = receive_anonymous(now, timeout, counts);
  } else {
    const ReceiveWindow::Arrival arrival = window_.mark(sequence);
    if (arrival == ReceiveWindow::Arrival::duplicate) ++counts.duplicates;
    if (arrival == ReceiveWindow::Arrival::beyond) ++counts.unattributable;
    if (arrival == ReceiveWindow::Arrival::reordered) ++counts.reordered;
    receipt.answered = arrival == ReceiveWindow::Arrival::in_order || arrival == ReceiveWindow::Arrival::reordered;
    if (!receipt.answered) return receipt;
    receipt.settled = outstanding_.contains(sequence);
    receipt.timed = identity_ == Identity::full || receipt.settled;
    if (identity_ == Identity::full) receipt.times = {reading.stamp.intended_ns, reading.stamp.actual_ns};
    else if (receipt.settled) receipt.times = outstanding_.times(sequence);
    if (receipt.settled) outstanding_.remove(sequence);
    receipt.late = !receipt.timed || now - receipt.times.actual > timeout;
  }
  if (receipt.answered) {
    ++received_;
    ++counts.received;
    if (receipt.late) ++counts.late;
  }
  return receipt;
}

}  // namespace load
