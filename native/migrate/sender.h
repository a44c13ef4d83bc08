// Sends memory over any number of connections. Frames are made by threads, and kept until the receiver has answered for them, so
// that what was on a connection that is cut goes over another one.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "dispatch/poller.h"
#include "migrate/account.h"
#include "migrate/encoder.h"
#include "migrate/greeting.h"
#include "migrate/ladder.h"
#include "migrate/options.h"
#include "migrate/pages.h"
#include "migrate/writer.h"
#include "net/socket.h"
#include "transfer/loop.h"

namespace migrate {

class Sender {
 public:
  Sender(dispatch::Poller& poller, const Options& options) noexcept
      : poller_(poller),
        options_(options),
        ready_(poller, transfer::kOneStep),
        writer_(poller),
        encoder_(source_),
        random_(options.seed + 1) {}
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender();

  /// Makes the memory and starts the connections. One sentence on what failed.
  std::string open();
  void on_event(const dispatch::Event& event);
  void end_turn();
  dispatch::TimeoutNs patience() const noexcept;
  bool done() const noexcept { return !fault_.empty() || account_.whole; }
  const std::string& fault() const noexcept { return fault_; }
  Account account();

 private:
  enum class Phase : std::uint8_t { lost, connecting, standing };
  struct Connection {
    int fd = -1;
    dispatch::Slot slot = dispatch::kNoSlot;
    Phase phase = Phase::lost;
    std::vector<std::byte> hello;  ///< or what is left of it
    std::deque<Frame> sent;        ///< the last one may be on its way yet
    std::size_t left = 0;          ///< bytes of it
    GreetingIntake greeting;
    bool greeted = false;  ///< nothing but answers comes from here on
    std::array<std::byte, sizeof(Answer)> answer{};
    std::size_t answer_size = 0;
    process::Nanoseconds moved = 0;
    process::Nanoseconds again = 0;  ///< lost: when it is tried next
    std::uint32_t tries = 0;         ///< since it was last answered

    bool idle() const noexcept { return phase == Phase::standing && hello.empty() && left == 0; }
  };

  std::string connect(std::uint32_t index);
  bool step(std::uint32_t index);
  bool receive(Connection& connection, std::uint32_t index);
  bool take_greeting(Connection& connection, std::size_t came);
  bool take_answer(Connection& connection);
  bool send(Connection& connection, std::uint32_t index);
  bool write(Connection& connection, std::uint32_t index, std::span<const std::byte> bytes, std::size_t& written);
  void lose(Connection& connection, std::uint32_t index, const std::string& what);
  void close_down(Connection& connection) noexcept;
  void go_on();
  void take_made();
  void fill();
  void give();
  /// The receiver has said what it has.
  bool begun() const noexcept { return !account_.passes.empty(); }
  bool pass_over() const noexcept;
  void begin_pass();
  void end_pass();
  void still();
  bool last_pass_is_next() const noexcept;
  void look();
  std::size_t most_unanswered() const noexcept;

  dispatch::Poller& poller_;
  const Options& options_;
  transfer::Ready ready_;
  net::Address address_;
  Memory memory_;
  std::unique_ptr<Dirtier> dirtier_;
  Writer writer_;
  Source source_;
  Encoder encoder_;
  dispatch::Slot told_ = dispatch::kNoSlot;
  Ladder ladder_;
  Random random_;
  std::uint64_t session_ = 0;
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> at_slot_;

  std::uint32_t next_block_ = 0;
  std::size_t asked_ = 0;        ///< frames that are being made
  std::deque<Frame> made_;
  std::size_t unanswered_ = 0;   ///< bytes of frames that were made
  bool full_ = false;            ///< more could have been sent than was
  bool last_ = false;            ///< this pass is the last
  bool finishing_ = false;
  bool stopping_ = false;        ///< who writes was asked to stop, and has not yet
  process::Nanoseconds stop_asked_ = 0;
  process::Nanoseconds pass_began_ = 0;
  process::Nanoseconds stopped_ = 0;  ///< when nobody wrote any more
  process::Nanoseconds look_ = 0;
  std::string fault_;
  Account account_;
};

}  // namespace migrate
