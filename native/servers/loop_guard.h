// Which senders an echo must never answer: those that would answer the answer, for ever and at full speed. That is one
// of its own ports (a datagram with a forged source is enough), and the small services of old that reply to anything.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "net/allow_list.h"
#include "net/udp_socket.h"

namespace servers {

/// echo, daytime, quote of the day, chargen, time. servers/udp-libuv.ts repeats the list.
inline constexpr std::array<std::uint16_t, 5> kReplyingPorts = {7, 13, 17, 19, 37};

class LoopGuard {
 public:
  LoopGuard() = default;
  /// For sockets on `ports` consecutive ports, the first of them bound to `first`.
  LoopGuard(const net::Address& first, std::uint32_t ports) : first_port_(first.port()), ports_(ports) {
    // A socket on every address of the machine cannot tell which are its own, so to it any host is.
    const std::string host = first.host();
    own_hosts_.add(host == "0.0.0.0" || host == "::" ? host + "/0" : host);
  }

  bool loops(const sockaddr_storage& sender) const noexcept {
    const std::uint16_t port = net::port_of(sender);
    const std::uint32_t place = port - first_port_;  // of a port below the first: beyond every range
    if (place < ports_ && own_hosts_.allows(sender)) [[unlikely]] return true;
    return std::find(kReplyingPorts.begin(), kReplyingPorts.end(), port) != kReplyingPorts.end();
  }

 private:
  std::uint32_t first_port_ = 0;
  std::uint32_t ports_ = 0;
  net::AllowList own_hosts_;
};

}  // namespace servers
