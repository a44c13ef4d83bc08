// Where a datagram benchmark's figures go: one recorder per worker, and a board on which they publish intervals.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "load/datagram_config.h"

namespace load {

/// The series of intervals. A worker hands in every interval in turn; the last one to do so completes it.
class DatagramBoard {
 public:
  DatagramBoard(std::uint32_t workers, bool log_replies) : workers_(workers), log_replies_(log_replies) {}

  void hand_in(std::size_t index, const Histogram& latency, const DatagramInterval& counts);
  /// Complete intervals from `first` on.
  std::vector<DatagramInterval> intervals(std::size_t first) const;

  bool logs_replies() const noexcept { return log_replies_; }
  void log(const std::vector<DatagramReply>& replies);
  std::vector<DatagramReply> take_replies();

 private:
  static constexpr std::size_t kMostReplies = 1 << 18;  // kept until they are taken; further ones are dropped
  struct Entry {
    DatagramInterval interval;
    std::unique_ptr<Histogram> latency;
    std::uint32_t handed_in = 0;
  };
  const std::uint32_t workers_;
  const bool log_replies_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::size_t complete_ = 0;
  std::vector<DatagramReply> replies_;
};

/// Figures of one flow beside its ledger.
struct FlowFigures {
  double latency_sum = 0;
  Nanoseconds latency_max = 0;
  Nanoseconds last_trip = -1;
  double jitter = 0;
};

class DatagramRecorder {
 public:
  DatagramRecorder(const DatagramConfig& config, DatagramBoard& board) : config_(config), board_(board) {}

  void start(Nanoseconds at) noexcept { interval_end_ = at + config_.interval; }
  void sent(std::uint64_t datagrams, std::uint64_t bytes, Nanoseconds now) noexcept;
  void lag(Nanoseconds lag) noexcept { lag_.record(lag); }
  /// A datagram came in, whatever it was.
  void arrived(std::uint64_t bytes, Nanoseconds now) noexcept;
  void answered(std::uint32_t flow, FlowFigures& figures, const FlowLedger::Receipt& receipt, Nanoseconds now);
  /// Publishes the counts for the progress display; call once a turn.
  void publish();
  /// Hands in what the current interval holds.
  void finish();

  DatagramCounts counts;  ///< the ledgers book into it

  DatagramProgress progress() const noexcept;
  void add_to(DatagramOutcome& outcome) const;

 private:
  void roll(Nanoseconds now);
  void hand_in();

  const DatagramConfig& config_;
  DatagramBoard& board_;
  Nanoseconds interval_end_ = 0;
  std::size_t interval_index_ = 0;
  DatagramInterval interval_;
  double interval_sum_ = 0;
  std::uint64_t interval_timed_ = 0;
  Histogram interval_latency_;
  Histogram latency_, uncorrected_, lag_;
  std::uint64_t bytes_out_ = 0, bytes_in_ = 0;
  std::vector<DatagramReply> replies_;
  std::atomic<std::uint64_t> shown_sent_{0}, shown_received_{0}, shown_bytes_{0}, shown_wrong_{0};
};

}  // namespace load
