#include "load/datagram_recorder.h"

#include <algorithm>
#include <cmath>

namespace load {

void DatagramBoard::hand_in(std::size_t index, const Histogram& latency, const DatagramInterval& counts) {
  const std::lock_guard lock(mutex_);
  while (entries_.size() <= index) entries_.push_back({{}, std::make_unique<Histogram>(), 0});
  Entry& entry = entries_[index];
  DatagramInterval& sum = entry.interval;
  const auto before = static_cast<double>(entry.latency->total());
  entry.latency->merge(latency);
  const auto total = static_cast<double>(entry.latency->total());
  if (total > before) sum.mean = (sum.mean * before + counts.mean * (total - before)) / total;
  sum.sent += counts.sent;
  sum.received += counts.received;
  sum.bytes_in += counts.bytes_in;
  sum.max = std::max(sum.max, counts.max);
  if (++entry.handed_in < workers_) return;
  sum.p50 = entry.latency->quantile(0.5);
  sum.p99 = entry.latency->quantile(0.99);
  entry.latency.reset();
  complete_ = std::max(complete_, index + 1);
}

std::vector<DatagramInterval> DatagramBoard::intervals(std::size_t first) const {
  const std::lock_guard lock(mutex_);
  std::vector<DatagramInterval> out;
  for (std::size_t i = first; i < complete_; ++i) out.push_back(entries_[i].interval);
  return out;
}

void DatagramBoard::log(const std::vector<DatagramReply>& replies) {
  const std::lock_guard lock(mutex_);
  const std::size_t room = std::min(kMostReplies - replies_.size(), replies.size());
  replies_.insert(replies_.end(), replies.begin(), replies.begin() + static_cast<std::ptrdiff_t>(room));
}

std::vector<DatagramReply> DatagramBoard::take_replies() {
  const std::lock_guard lock(mutex_);
  return std::exchange(replies_, {});
}

void DatagramRecorder::hand_in() {
  if (interval_timed_ > 0) interval_.mean = interval_sum_ / static_cast<double>(interval_timed_);
  board_.hand_in(interval_index_++, interval_latency_, interval_);
  interval_ = {};
  interval_sum_ = 0;
  interval_timed_ = 0;
  interval_latency_.clear();
}

void DatagramRecorder::roll(Nanoseconds now) {
  while (now >= interval_end_) {
    hand_in();
    interval_end_ += config_.interval;
  }
}

void DatagramRecorder::sent(std::uint64_t datagrams, std::uint64_t bytes, Nanoseconds now) noexcept {
  roll(now);
  counts.sent += datagrams;
  bytes_out_ += bytes;
  interval_.sent += datagrams;
}

void DatagramRecorder::arrived(std::uint64_t bytes, Nanoseconds now) noexcept {
  roll(now);
  bytes_in_ += bytes;
  interval_.bytes_in += bytes;
}

void DatagramRecorder::answered(std::uint32_t flow, FlowFigures& figures, const FlowLedger::Receipt& receipt,
                                Nanoseconds now) {
  ++interval_.received;
  if (!receipt.timed || (receipt.late && config_.leave_out_late)) return;
  const Nanoseconds latency = now - receipt.times.intended;
  const Nanoseconds trip = now - receipt.times.actual;
  latency_.record(latency);
  uncorrected_.record(trip);
  interval_latency_.record(latency);
  interval_sum_ += static_cast<double>(latency);
  ++interval_timed_;
  interval_.max = std::max(interval_.max, latency);
  figures.latency_sum += static_cast<double>(latency);
  figures.latency_max = std::max(figures.latency_max, latency);
  // RFC 3550, section 6.4.1: the transit time is the round trip here, so both clocks are one.
  if (figures.last_trip >= 0) {
    figures.jitter += (std::fabs(static_cast<double>(trip - figures.last_trip)) - figures.jitter) / 16;
  }
  figures.last_trip = trip;
  if (board_.logs_replies()) replies_.push_back({flow, latency});
}

void DatagramRecorder::publish() {
  shown_sent_.store(counts.sent, std::memory_order_relaxed);
  shown_received_.store(counts.received, std::memory_order_relaxed);
  shown_bytes_.store(bytes_in_, std::memory_order_relaxed);
  shown_wrong_.store(counts.corrupted + counts.truncated + counts.foreign + counts.unreachable,
                     std::memory_order_relaxed);
  if (replies_.empty()) return;
  board_.log(replies_);
  replies_.clear();
}

void DatagramRecorder::finish() {
  publish();
  hand_in();
}

DatagramProgress DatagramRecorder::progress() const noexcept {
  return {shown_sent_.load(std::memory_order_relaxed), shown_received_.load(std::memory_order_relaxed),
          shown_bytes_.load(std::memory_order_relaxed), shown_wrong_.load(std::memory_order_relaxed)};
}

void DatagramRecorder::add_to(DatagramOutcome& outcome) const {
  outcome.counts.add(counts);
  outcome.bytes_out += bytes_out_;
  outcome.bytes_in += bytes_in_;
  outcome.latency.merge(latency_);
  outcome.uncorrected.merge(uncorrected_);
  outcome.lag.merge(lag_);
}

}  // namespace load
