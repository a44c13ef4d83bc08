// A whole datagram benchmark: divides it over workers, starts them together and gathers what they found.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "load/datagram_worker.h"

namespace load {

class DatagramEngine {
 public:
  explicit DatagramEngine(DatagramConfig config);

  /// Opens all sockets and starts. Returns 0 or an errno and says in `what` which step failed; then nothing runs.
  int start(std::string& what);
  /// Ends sending; the drain still follows.
  void stop() noexcept;

  /// The phase that the slowest worker is in.
  DatagramPhase phase() const noexcept;
  /// Monotonic time of the common start; 0 before it.
  Nanoseconds started() const noexcept { return start_.at(); }
  DatagramProgress progress() const noexcept;
  std::vector<DatagramInterval> intervals(std::size_t first) const { return board_.intervals(first); }
  std::vector<DatagramReply> take_replies() { return board_.take_replies(); }

  const DatagramConfig& config() const noexcept { return config_; }
  /// Waits for the end and sums up.
  DatagramOutcome outcome();

 private:
  DatagramShare share(std::uint32_t worker) const noexcept;

  const DatagramConfig config_;
  DatagramBoard board_;
  DatagramStart start_;
  std::vector<std::unique_ptr<DatagramWorker>> workers_;
};

}  // namespace load
