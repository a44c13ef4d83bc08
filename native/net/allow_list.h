// Which senders a datagram server answers. A UDP echo is a reflector, so anything beyond loopback is asked for by name.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/socket.h"

namespace net {

class AllowList {
 public:
  /// Adds networks, comma-separated: "10.0.0.0/8,2001:db8::/32"; a plain address stands for itself alone. Returns one
  /// sentence on what is wrong, empty when nothing is.
  std::string add(std::string_view networks);

  bool empty() const noexcept { return networks_.empty(); }
  bool allows(const sockaddr_storage& sender) const noexcept;

 private:
  struct Network {
    sa_family_t family;
    unsigned bits;
    std::array<std::uint8_t, 16> prefix;
  };
  std::vector<Network> networks_;
};

}  // namespace net
