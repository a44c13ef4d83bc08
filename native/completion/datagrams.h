// The datagram echo on a completion engine: one multishot receive for each port, and a reply for each datagram, tried once.
// Replies go to the sender alone and are the received bytes; whom it answers is the rule of servers/udp_echo.h.
#pragma once

#ifdef __linux__
#include <sys/socket.h>
#include <sys/uio.h>

#include <deque>
#include <string>
#include <vector>

#include "completion/engine.h"
#include "servers/loop_guard.h"
#include "servers/options.h"
#include "servers/statistics.h"

namespace completion {

class Datagrams {
 public:
  Datagrams(Engine& engine, const servers::Options& options, servers::Statistics& statistics)
      : engine_(engine), options_(options), statistics_(statistics) {}
  ~Datagrams();
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;

  /// Room of a buffer: the largest datagram, its sender, and what the kernel puts before them.
  static std::uint32_t buffer_bytes() noexcept;

  /// Binds all ports and arms them. Returns one sentence on what failed, empty when nothing did.
  std::string open();
  int socket() const noexcept { return sockets_.front(); }
  bool impatient() const noexcept { return !hungry_.empty(); }
  void settle();
  void on_completion(Tag tag, const Completion& row);
  void end_turn() noexcept {}

 private:
  struct Reply {
    msghdr message;
    iovec bytes;
    sockaddr_storage peer;
  };

  void arm(std::uint32_t place);
  void answer(std::uint32_t place, std::span<std::byte> received);

  Engine& engine_;
  const servers::Options& options_;
  servers::Statistics& statistics_;
  servers::LoopGuard guard_;
  std::vector<int> sockets_;
  msghdr shape_{};                     // of all receives: room for a sender, and for nothing else
  std::deque<Reply> replies_;          // handed over and not settled; a deque, because the kernel is told where they are
  std::vector<std::uint32_t> hungry_;  // to receive again once buffers are there
};

}  // namespace completion
#endif
