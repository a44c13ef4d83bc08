// A datagram echo on any number of consecutive ports; who waits for its sockets is somebody else's business.
//
// A ready socket costs one receive and one send call, however many datagrams wait there (up to the budget).
// A batched receive (recvmmsg) learns that the socket is empty only by asking for one datagram more than there is.
// Where datagrams come one at a time that second look is most of the cost. So after a batch that brought one or none,
// the socket's next kPlainReceives receives are plain calls of one datagram each, and then a batch is tried again. A
// backend that reports a socket only once needs it emptied, so there every receive is a batch.
// Replies are the received bytes, so never larger than the requests; senders outside the allow-list, and those
// that would answer the answer (loop_guard.h), are dropped and counted. A reply that the kernel does not take at once is dropped and counted, as datagrams may be: waiting would
// hold up every other port.
#pragma once

#include <string>
#include <vector>

#include "dispatch/event.h"
#include "net/udp_batch.h"
#include "servers/loop_guard.h"
#include "servers/options.h"

namespace servers {

/// Whether a datagram from there must not be answered.
inline bool refuses(const Options& options, const LoopGuard& guard, const sockaddr_storage& sender) noexcept {
  return guard.loops(sender) || (!options.allowed.empty() && !options.allowed.allows(sender));
}

class UdpEcho {
 public:
  static constexpr std::uint8_t kPlainReceives = 15;

  /// `drains`: a socket is reported once only (edge-triggered), so that every receive must empty it.
  UdpEcho(const Options& options, Statistics& statistics, bool drains)
      : options_(options),
        statistics_(statistics),
        drains_(drains),
        batch_(options.budgets.datagrams, net::kMaxDatagram) {}
  ~UdpEcho();
  UdpEcho(const UdpEcho&) = delete;
  UdpEcho& operator=(const UdpEcho&) = delete;

  /// Binds all ports. Returns one sentence on what failed, empty when nothing did.
  std::string open();
  /// By port.
  const std::vector<dispatch::Handle>& sockets() const noexcept { return sockets_; }
  /// From now on one of the sockets is spoken of as `slot`.
  void name(dispatch::Handle socket, dispatch::Slot slot);

  /// Answers what waits at a socket, at most the budget. True when the budget ended first: more may wait.
  bool serve(dispatch::Slot slot) noexcept {
    const std::size_t got = take(slot, batch_.capacity());
    answer();
    return got == batch_.capacity();
  }

  /// The first half of serve(): receives at most `limit` (not above the budget) and returns how many came. Unless it
  /// drains, fewer than `limit` does not mean that the socket is empty. A slot without a socket brings none.
  std::size_t take(dispatch::Slot slot, std::size_t limit) noexcept;
  /// The second half: answers those taken whose senders are allowed.
  void answer() noexcept;

 private:
  struct Socket {
    dispatch::Handle handle = dispatch::kNoHandle;
    std::uint8_t plain = 0;  // receives still to be made with the plain call
  };

  const Options& options_;
  Statistics& statistics_;
  const bool drains_;
  LoopGuard guard_;
  net::UdpBatch batch_;
  std::size_t taken_ = 0;  // datagrams to answer
  dispatch::Handle taken_from_ = dispatch::kNoHandle;
  std::vector<dispatch::Handle> sockets_;
  std::vector<Socket> by_slot_;
};

/// Binds `options.ports` consecutive ports; with port 0 it looks for a free range below the ephemeral ports.
/// Returns one sentence on what failed, empty when nothing did; then `sockets` is unchanged.
std::string bind_ports(const Options& options, std::vector<dispatch::Handle>& sockets);

}  // namespace servers
