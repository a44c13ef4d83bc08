#include "servers/udp_echo.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include "process/usage.h"

namespace servers {

namespace {

constexpr std::uint32_t kLowestPort = 10'240, kHighestPort = 32'767;  // below every system's usual ephemeral range
constexpr int kRanges = 64;                                           // tries to find a free one
constexpr std::uint64_t kOwnDescriptors = 16;                         // poller, control channel, standard streams

void close_all(const std::vector<dispatch::Handle>& sockets) noexcept {
  for (const dispatch::Handle fd : sockets) close(fd);
}

/// Returns 0 or the errno of the first port that cannot be bound.
int bind_range(net::Address address, std::uint32_t first, const Options& options,
               std::vector<dispatch::Handle>& sockets) {
  for (std::uint32_t port = first; port < first + options.ports; ++port) {
    address.set_port(static_cast<std::uint16_t>(port));
    const dispatch::Handle fd = net::open_udp(address, {static_cast<int>(options.receive_buffer), 0, false});
    if (fd < 0) {
      close_all(std::exchange(sockets, {}));
      return -fd;
    }
    sockets.push_back(fd);
  }
  return 0;
}

}  // namespace

std::string bind_ports(const Options& options, std::vector<dispatch::Handle>& sockets) {
  const std::uint64_t limit = process::descriptor_limit().soft, needed = options.ports + kOwnDescriptors;
  if (needed > limit) {
    return std::to_string(options.ports) + " ports need " + std::to_string(needed) + " descriptors and the limit is " +
           std::to_string(limit) + ": raise it (ulimit -n) or ask for fewer ports";
  }
  const std::uint32_t asked = options.address.port();
  if (asked != 0 || options.ports == 1) {
    if (asked + options.ports - 1 > 65'535) return "the last port would be above 65535: choose a lower --port";
    const int error = bind_range(options.address, asked, options, sockets);
    if (error == 0) return "";
    return "cannot bind UDP ports " + std::to_string(asked) + " to " + std::to_string(asked + options.ports - 1) +
           " on " + options.address.host() + ": " + std::strerror(error);
  }
  if (options.ports > kHighestPort - kLowestPort) return "too many --ports to find a free range: give --port too";
  std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<std::uint32_t> first(kLowestPort, kHighestPort - options.ports);
  int error = 0;
  for (int tries = 0; tries < kRanges; ++tries) {
    error = bind_range(options.address, first(random), options, sockets);
    if (error != EADDRINUSE) break;
  }
  if (error == 0) return "";
  return "cannot find " + std::to_string(options.ports) + " free consecutive UDP ports: " + std::strerror(error);
}

UdpEcho::~UdpEcho() { close_all(sockets_); }

std::string UdpEcho::open() {
  std::string fault = bind_ports(options_, sockets_);
  statistics_.sockets = sockets_.size();
  if (fault.empty()) guard_ = LoopGuard(net::local_address(sockets_.front()), options_.ports);
  return fault;
}

void UdpEcho::name(dispatch::Handle socket, dispatch::Slot slot) {
  if (slot >= by_slot_.size()) by_slot_.resize(std::size_t{slot} + 1);
  by_slot_[slot].handle = socket;
}

std::size_t UdpEcho::take(dispatch::Slot slot, std::size_t limit) noexcept {
  if (slot >= by_slot_.size()) return 0;
  Socket& socket = by_slot_[slot];
  taken_from_ = socket.handle;
  const bool chooses = !drains_ && limit > 1;
  const bool alone = chooses && socket.plain > 0;
  const auto got = static_cast<std::size_t>(std::max(batch_.receive(socket.handle, alone ? 1 : limit), 0));
  if (alone) --socket.plain;
  else if (chooses && got < 2) socket.plain = kPlainReceives;
  taken_ = 0;
  for (std::size_t i = 0; i < got; ++i) {
    statistics_.bytes_in += batch_.length(i);
    if (refuses(options_, guard_, batch_.peer(i))) [[unlikely]] {
      ++statistics_.rejected;
      continue;
    }
    batch_.move(i, taken_++);
  }
  return got;
}

void UdpEcho::answer() noexcept {
  for (std::size_t done = 0; done < taken_;) {
    const int sent = batch_.reply(taken_from_, done, taken_ - done);
    // The one that stopped the batch is given up, and the rest goes on behind it.
    const auto went = static_cast<std::size_t>(std::max(sent, 0));
    for (std::size_t i = done; i < done + went; ++i) statistics_.bytes_out += batch_.length(i);
    statistics_.requests += went;
    done += went;
    if (done < taken_) ++done, ++statistics_.unsent;
  }
  taken_ = 0;
}

}  // namespace servers
