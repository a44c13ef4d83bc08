// A datagram echo on any number of consecutive ports; who waits for its sockets is somebody else's business.
//
// A ready socket costs one receive and one send call, however many datagrams wait (up to the budget); a batch that is
// not full has drained the socket. To find it drained, a batched receive asks the kernel once too often, which is most of
// its cost at a socket that holds one datagram at a time: such a socket is read with the plain call and, where the
// backend goes on reporting it, tried again with a batch every kPlainReceives. Replies are the received bytes, so never larger than the requests; senders outside
// the allow-list are dropped and counted. A reply that the kernel does not take at once is dropped and counted, as
// datagrams may be: waiting would hold up every other port.
#pragma once

#include <string>
#include <vector>

#include "net/options.h"
#include "net/udp_batch.h"

namespace net {

class UdpEcho {
 public:
  static constexpr std::uint8_t kPlainReceives = 15;

  /// `drains`: a socket is reported once only (edge-triggered), so that every receive must empty it.
  UdpEcho(const Options& options, Statistics& statistics, bool drains)
      : options_(options),
        statistics_(statistics),
        drains_(drains),
        batch_(options.budgets.datagrams, kMaxDatagram) {}
  ~UdpEcho();
  UdpEcho(const UdpEcho&) = delete;
  UdpEcho& operator=(const UdpEcho&) = delete;

  /// Binds all ports. Returns one sentence on what failed, empty when nothing did.
  std::string open();
  /// Address and first port.
  Address address() const noexcept { return local_address(sockets_.front()); }
  /// By port.
  const std::vector<int>& sockets() const noexcept { return sockets_; }

  /// Answers what waits at a socket, at most the budget. True when the budget ended first: more may wait.
  bool serve(int fd) noexcept {
    const std::size_t got = take(fd, batch_.capacity());
    answer(fd);
    return got == batch_.capacity();
  }

  /// The first half of serve(): receives at most `limit` (not above the budget) and returns how many came. Unless it
  /// drains, fewer than `limit` does not mean that the socket is empty.
  std::size_t take(int fd, std::size_t limit) noexcept;
  /// The second half: answers those taken whose senders are allowed.
  void answer(int fd) noexcept;

 private:
  const Options& options_;
  Statistics& statistics_;
  const bool drains_;
  UdpBatch batch_;
  std::vector<std::uint8_t> plain_;  // by descriptor: receives to go with the plain call
  std::size_t taken_ = 0;  // datagrams to answer
  std::vector<int> sockets_;
};

/// Binds `options.ports` consecutive ports; with port 0 it looks for a free range below the ephemeral ports.
/// Returns one sentence on what failed, empty when nothing did; then `sockets` is unchanged.
std::string bind_ports(const Options& options, std::vector<int>& sockets);

}  // namespace net
