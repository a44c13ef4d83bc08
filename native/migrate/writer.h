// Another program that writes into memory while it is moved, as who runs a guest does: over a connection of its own it is asked to
// stop, by one byte, and says that it has by one byte, or by ending it.
#pragma once

#include <cstdint>
#include <string>

#include "dispatch/poller.h"

namespace migrate {

class Writer {
 public:
  explicit Writer(dispatch::Poller& poller) noexcept : poller_(poller) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { end(); }

  /// Connects to it, on loopback. One sentence on what failed.
  std::string open(std::uint16_t port);
  /// It may write yet.
  bool opened() const noexcept { return fd_ >= 0; }
  bool is(dispatch::Slot slot) const noexcept { return opened() && slot == slot_; }
  /// One sentence on what failed.
  std::string ask_to_stop();
  /// Its socket is readable: whether it has stopped.
  bool stopped() noexcept;

 private:
  void end() noexcept;

  dispatch::Poller& poller_;
  int fd_ = -1;
  dispatch::Slot slot_ = dispatch::kNoSlot;
};

}  // namespace migrate
