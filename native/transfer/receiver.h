// Receives the streams of one transfer, and says of each what came. Whatever else connects is told nothing.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "dispatch/poller.h"
#include "transfer/account.h"
#include "transfer/door.h"
#include "transfer/format.h"
#include "transfer/loop.h"
#include "transfer/options.h"
#include "transfer/xxh64.h"

namespace transfer {

class Receiver {
 public:
  Receiver(dispatch::Poller& poller, const Options& options)
      : poller_(poller), options_(options), ready_(poller, options.budget), door_(poller, kMostConnections), buffer_(sizeof(Tail) + options.chunk) {}
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// Listens. One sentence on what failed.
  std::string open();
  int socket() const noexcept { return door_.socket(); }
  void on_event(const dispatch::Event& event);
  void end_turn();
  dispatch::TimeoutNs patience() const noexcept;
  bool done() const noexcept { return !fault_.empty() || (streams_ > 0 && ended_ == streams_); }
  const std::string& fault() const noexcept { return fault_; }
  Account account();

 private:
  /// At one time: the streams, and some who are none.
  static constexpr std::size_t kMostConnections = kMostStreams + 64;

  struct Connection {
    int fd = -1;
    dispatch::Slot slot = dispatch::kNoSlot;
    bool headed = false;
    std::uint32_t stream = 0;
    /// The head as far as it came; then the last bytes of the stream, which are its tail if no more come.
    std::array<std::byte, sizeof(Head)> held{};
    std::size_t held_size = 0;
    process::Nanoseconds moved = 0;
    Xxh64 hash;
  };

  Step step(std::uint32_t index);
  Step step_head(Connection& connection);
  bool take_head(Connection& connection);
  Step step_data(Connection& connection);
  void take(Connection& connection, std::size_t size);
  void end(Connection& connection);
  void fail(const Connection& connection, const std::string& what);
  void look_for_stalls();

  dispatch::Poller& poller_;
  const Options& options_;
  Ready ready_;
  Door<Connection> door_;
  std::vector<std::byte> buffer_;  ///< of all streams: what was held of one, then a chunk
  std::uint64_t transfer_ = 0;
  std::uint32_t streams_ = 0;  ///< of the transfer; 0 until the first head came
  bool resting_ = false;       ///< a stream may send nothing as long as another one does
  std::vector<bool> taken_;
  std::size_t ended_ = 0;
  process::Nanoseconds first_head_ = 0;
  process::Nanoseconds look_ = 0;
  std::string fault_;
  Account account_;
};

}  // namespace transfer
