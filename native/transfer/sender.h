// Sends on N streams at once. All of them stand before the first byte of data leaves.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "dispatch/poller.h"
#include "net/socket.h"
#include "transfer/account.h"
#include "transfer/format.h"
#include "transfer/loop.h"
#include "transfer/options.h"
#include "transfer/ring_sends.h"
#include "transfer/source.h"
#include "transfer/xxh64.h"

namespace transfer {

class Sender {
 public:
  Sender(dispatch::Poller& poller, const Options& options) noexcept
      : poller_(poller), options_(options), ready_(poller, options.budget) {}
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender();

  /// Starts the connections. One sentence on what failed.
  std::string open();
  void on_event(const dispatch::Event& event);
  void end_turn();
  dispatch::TimeoutNs patience() const noexcept;
  bool done() const noexcept { return !fault_.empty() || ended_ == streams_.size(); }
  const std::string& fault() const noexcept { return fault_; }
  Account account();

 private:
  enum class Phase : std::uint8_t { connecting, head, connected, data, resting, tail, answer, ended };
  struct Stream {
    int fd = -1;
    dispatch::Slot slot = dispatch::kNoSlot;
    Phase phase = Phase::connecting;
    std::uint64_t share = 0;                ///< bytes to send; unused where time ends it
    std::array<std::byte, sizeof(Head)> note{};  ///< head, tail or answer on its way
    std::size_t note_size = 0;
    std::size_t note_at = 0;
    std::uint64_t unfinished = 0;  ///< sends without a copy that the kernel has not told of
    std::array<int, 2> pipe{-1, -1};  ///< in the way splice
    std::size_t piped = 0;            ///< bytes in it, which are the next ones of the stream
    process::Nanoseconds began = 0;
    process::Nanoseconds moved = 0;  ///< when something last did
    Xxh64 hash;
    StreamAccount account;
  };

  std::string connect(std::uint32_t index, const net::Address& address);
  Step step(std::uint32_t index);
  Step step_connecting(Stream& stream, std::uint32_t index);
  Step step_data(Stream& stream, std::uint32_t index);
  Step step_answer(Stream& stream, std::uint32_t index);
  Step send_note(Stream& stream, std::uint32_t index, Phase next);
  std::string open_way(Stream& stream);
  int fill_pipe(Stream& stream, std::span<const std::byte>& piece);
  ssize_t send_piece(Stream& stream, std::span<const std::byte> piece);
  void read_completions(Stream& stream);
  template <class Note>
  static void put_note(Stream& stream, const Note& note) noexcept;
  void start_data();
  void wake(std::uint32_t index);
  void adapt();
  bool over() const noexcept { return deadline_ > 0 && process::monotonic_now() >= deadline_; }
  void end_data(Stream& stream) noexcept;
  void close_all(Stream& stream) noexcept;
  void end(Stream& stream);
  void fail(std::uint32_t index, const std::string& what);
  void look_for_stalls();

  dispatch::Poller& poller_;
  const Options& options_;
  Ready ready_;
  Source source_;  // before what reads of it
  RingSends ring_;
  std::uint64_t transfer_ = 0;
  std::vector<Stream> streams_;
  std::vector<std::uint32_t> at_slot_;
  std::size_t standing_ = 0;
  std::size_t ended_ = 0;
  process::Nanoseconds deadline_ = 0;
  process::Nanoseconds look_ = 0;
  std::string fault_;
  Account account_;
};

}  // namespace transfer
