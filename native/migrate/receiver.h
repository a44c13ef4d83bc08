// Takes the memory of one sender, over any number of connections, some of which may be cut and stand again.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "dispatch/poller.h"
#include "migrate/account.h"
#include "migrate/intake.h"
#include "migrate/options.h"
#include "migrate/store.h"
#include "transfer/door.h"
#include "transfer/loop.h"

namespace migrate {

class Receiver {
 public:
  Receiver(dispatch::Poller& poller, const Options& options) noexcept
      : poller_(poller), options_(options), ready_(poller, transfer::kOneStep), door_(poller, kMostHeld) {}
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// Listens. One sentence on what failed.
  std::string open();
  int socket() const noexcept { return door_.socket(); }
  void on_event(const dispatch::Event& event);
  void end_turn();
  dispatch::TimeoutNs patience() const noexcept;
  /// The last answer is under way when it has left.
  bool done() const noexcept { return (!fault_.empty() || store_.finished()) && answered_; }
  const std::string& fault() const noexcept { return fault_; }
  Account account();

 private:
  /// At one time: those of a session, as many in their place, and some who have nothing to do with it.
  static constexpr std::size_t kMostHeld = 2 * kMostConnections + 16;

  struct Connection {
    int fd = -1;
    dispatch::Slot slot = dispatch::kNoSlot;
    bool known = false;
    std::array<std::byte, sizeof(Hello)> hello{};
    std::size_t hello_size = 0;
    Intake intake;
    std::vector<std::byte> answers;  ///< that the system has not taken yet
    process::Nanoseconds moved = 0;
  };

  bool step(std::uint32_t index);
  bool step_hello(Connection& connection);
  bool take_hello(Connection& connection);
  void greet(Connection& connection);
  bool step_frames(Connection& connection);
  void take_frame(Connection& connection);
  void answer(Connection& connection, Verdict verdict);
  bool flush(Connection& connection);
  void drop(Connection& connection);
  void lose(Connection& connection);
  void fail(const std::string& what);
  void look_for_stalls();

  dispatch::Poller& poller_;
  const Options& options_;
  transfer::Ready ready_;
  transfer::Door<Connection> door_;
  std::uint64_t session_ = 0;
  Store store_;
  bool answered_ = true;  ///< no answer waits for room
  process::Nanoseconds moved_ = 0;  ///< when anything of the session last did
  process::Nanoseconds look_ = 0;
  std::string fault_;
  Account account_;
};

}  // namespace migrate
