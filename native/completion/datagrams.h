// Datagrams on a completion engine: one multishot receive for each port, and a reply to each datagram, tried once. What the
// bytes mean is the caller's business: on_completion() shows what came, reply() says what goes back. Replies go to the sender
// alone; whom nobody may answer is the rule of servers/udp_echo.h, and such datagrams are not shown.
#pragma once

#ifdef __linux__
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "completion/engine.h"
#include "servers/loop_guard.h"
#include "servers/options.h"
#include "servers/protocol.h"
#include "servers/statistics.h"
#include "servers/udp_echo.h"

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

  /// A completion that take() of the engine showed. Calls received(number, bytes) for a datagram that may be answered: both
  /// stay until settle() is called again.
  template <class Received>
  void on_completion(Tag tag, const Completion& row, Received received) {
    // Taken in any case: the buffer has to go back.
    std::span<std::byte> bytes;
    if ((row.flags & uring::completed::has_buffer) != 0) {
      engine_.received(row, [&bytes](std::span<std::byte> all) { bytes = all; });
    }
    if ((row.flags & uring::completed::more) == 0) hungry_.push_back(tag.place);
    constexpr std::size_t kHead = sizeof(uring::ReceivedMessage) + sizeof(sockaddr_storage);
    if (bytes.size() < kHead) return;
    const std::span<std::byte> payload = bytes.subspan(kHead);
    statistics_.bytes_in += payload.size();
    if (came_from(tag.place, bytes)) received(static_cast<std::uint32_t>(datagrams_.size() - 1), payload);
  }

  /// Answers a datagram, once. Bytes of the protocol are copied, others have to stay until settle() has been called once more.
  void reply(std::uint32_t number, const servers::Reply& reply);
  void end_turn() noexcept {}

 private:
  /// One that came and may be answered, and the answer.
  struct Datagram {
    std::uint32_t place;  // of its socket
    bool answered = false;
    sockaddr_storage peer;
    msghdr message{};
    iovec bytes{};
    std::vector<std::byte> copy{};
  };

  void arm(std::uint32_t place);
  bool came_from(std::uint32_t place, std::span<const std::byte> received);

  Engine& engine_;
  const servers::Options& options_;
  servers::Statistics& statistics_;
  servers::LoopGuard guard_;
  std::vector<int> sockets_;
  msghdr shape_{};                     // of all receives: room for a sender, and for nothing else
  std::deque<Datagram> datagrams_;     // not settled; a deque, because the kernel is told where they are
  std::vector<std::uint32_t> hungry_;  // to receive again once buffers are there
};

}  // namespace completion
#endif
