// One thread of a datagram benchmark: its share of the schedule or of the windows, over its own sockets.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "load/datagram_lanes.h"
#include "load/worker.h"

namespace load {

/// What a worker has to do of the whole.
struct DatagramShare {
  double rate = 0;                ///< open loop: per second
  Nanoseconds offset = 0;         ///< open loop: from the start to its first datagram, if the arrivals are fixed
  std::uint64_t most = ~0ull;     ///< datagrams to send at most
};

/// Makes the workers start together: they wait until all are ready.
class DatagramStart {
 public:
  explicit DatagramStart(std::uint32_t workers) : missing_(workers) {}
  /// Says that the caller is ready and waits for the others; returns the common start.
  Nanoseconds arrive() noexcept;
  /// Says that one will never be ready.
  void forgo() noexcept;
  Nanoseconds at() const noexcept { return at_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint32_t> missing_;
  std::atomic<Nanoseconds> at_{0};
};

enum class DatagramPhase : std::uint8_t { preparing, sending, draining, done };

class DatagramWorker final : public Worker {
 public:
  DatagramWorker(const DatagramConfig& config, std::uint32_t index, const DatagramShare& share, DatagramStart& start,
                 DatagramBoard& board);
  ~DatagramWorker() override;

  /// Opens the sockets on the caller's thread, so that what cannot be had is said before anything starts.
  int open(std::string& what) { return lanes_.open(what); }
  /// Ends at once: no drain.
  void abandon() noexcept;

  DatagramPhase phase() const noexcept { return phase_.load(std::memory_order_acquire); }
  DatagramProgress progress() const noexcept { return recorder_.progress(); }
  /// After join().
  void add_to(DatagramOutcome& outcome) const;

 protected:
  void run() override;

 private:
  int prepare();
  void run_open();
  void run_closed();
  void drain();
  void refill(std::uint32_t socket, FlowOrder& order);
  std::size_t wait(Nanoseconds timeout);
  std::size_t receive_or_wait(Nanoseconds timeout);
  void expire(Nanoseconds now);
  bool bailed_out() const noexcept;

  const DatagramConfig& config_;
  const std::uint32_t index_;
  const DatagramShare share_;
  DatagramStart& start_;
  DatagramRecorder recorder_;
  DatagramLanes lanes_;
  std::unique_ptr<dispatch::Poller> poller_;
  std::vector<dispatch::Event> events_;
  Pacer pacer_;
  bool blocking_ = false;  // closed loop over one socket
  std::atomic<DatagramPhase> phase_{DatagramPhase::preparing};
  std::atomic<bool> abandoned_{false};
  std::vector<std::uint32_t> windows_;  // closed loop, by socket: the window, or what its buffer holds if that is less
  std::uint64_t taken_ = 0;    // datagrams taken from the schedule or the windows
  std::uint64_t offered_ = 0;  // of the schedule, also those not sent in time
  std::uint64_t timeouts_ = 0;
  Nanoseconds next_expiry_ = 0;
  Nanoseconds started_ = 0, sending_ended_ = 0, finished_ = 0;
  Nanoseconds cpu_ = 0, spin_ = 0;
  int error_ = 0;
  std::string failed_;
};

}  // namespace load
