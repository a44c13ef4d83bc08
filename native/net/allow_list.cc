#include "net/allow_list.h"

#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace net {

namespace {

struct Bytes {
  const std::uint8_t* data = nullptr;
  unsigned bits = 0;
};

Bytes bytes_of(const sockaddr_storage& address) noexcept {
  if (address.ss_family == AF_INET) {
    return {reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr), 32};
  }
  if (address.ss_family == AF_INET6) {
    return {reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr), 128};
  }
  return {};
}

}  // namespace

std::string AllowList::add(std::string_view networks) {
  while (!networks.empty()) {
    const std::size_t comma = networks.find(',');
    const std::string_view item = networks.substr(0, comma);
    networks = comma == std::string_view::npos ? std::string_view() : networks.substr(comma + 1);
    const std::size_t slash = item.find('/');
    Address address;
    if (!parse_address(item.substr(0, slash), 0, address)) {
      return "'" + std::string(item) + "' is not a network: write it as 10.0.0.0/8";
    }
    const Bytes bytes = bytes_of(address.storage);
    Network network{static_cast<sa_family_t>(address.family()), bytes.bits, {}};
    if (slash != std::string_view::npos) {
      const std::string_view width = item.substr(slash + 1);
      const auto [end, error] = std::from_chars(width.data(), width.data() + width.size(), network.bits);
      if (error != std::errc() || end != width.data() + width.size() || network.bits > bytes.bits) {
        return "'" + std::string(item) + "' is not a network: at most /" + std::to_string(bytes.bits) + " here";
      }
    }
    std::memcpy(network.prefix.data(), bytes.data, bytes.bits / 8);
    networks_.push_back(network);
  }
  return "";
}

bool AllowList::allows(const sockaddr_storage& sender) const noexcept {
  const Bytes bytes = bytes_of(sender);
  for (const Network& network : networks_) {
    if (network.family != sender.ss_family) continue;
    const unsigned whole = network.bits / 8, rest = network.bits % 8;
    if (std::memcmp(bytes.data, network.prefix.data(), whole) != 0) continue;
    if (rest == 0 || (bytes.data[whole] ^ network.prefix[whole]) >> (8 - rest) == 0) return true;
  }
  return false;
}

}  // namespace net
