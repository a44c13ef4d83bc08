// A datagram echo on any number of consecutive ports; who waits for its sockets is somebody else's business.
//
// A ready socket costs one receive and one send call, however many datagrams wait (up to the budget); a batch that is
// not full has drained the socket. Replies are the received bytes, so never larger than the requests; senders outside
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
  UdpEcho(const Options& options, Statistics& statistics)
      : options_(options), statistics_(statistics), batch_(options.budgets.datagrams, kMaxDatagram) {}
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

  /// The first half of serve(): receives at most `limit` (not above the budget) and returns how many came.
  std::size_t take(int fd, std::size_t limit) noexcept;
  /// The second half: answers those taken whose senders are allowed.
  void answer(int fd) noexcept;

 private:
  const Options& options_;
  Statistics& statistics_;
  UdpBatch batch_;
  std::size_t taken_ = 0;  // datagrams to answer
  std::vector<int> sockets_;
};

/// Binds `options.ports` consecutive ports; with port 0 it looks for a free range below the ephemeral ports.
/// Returns one sentence on what failed, empty when nothing did; then `sockets` is unchanged.
std::string bind_ports(const Options& options, std::vector<int>& sockets);

}  // namespace net
