#include "migrate/writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>

#include "net/socket.h"

namespace migrate {
namespace {

constexpr int kConnectMs = 2000;  // on loopback it takes none

}  // namespace

void Writer::end() noexcept {
  if (slot_ != dispatch::kNoSlot) poller_.forget(slot_);
  if (fd_ >= 0) close(fd_);
  slot_ = dispatch::kNoSlot;
  fd_ = -1;
}

std::string Writer::open(std::uint16_t port) {
  const auto failed = [](int error) { return std::string("cannot connect to who writes: ") + std::strerror(error); };
  net::Address address;
  net::parse_address("127.0.0.1", port, address);
  fd_ = net::connect_tcp(address);
  if (fd_ < 0) return failed(-fd_);
  pollfd standing{.fd = fd_, .events = POLLOUT, .revents = 0};
  if (poll(&standing, 1, kConnectMs) != 1) return failed(ETIMEDOUT);
  if (const int error = net::take_error(fd_)) return failed(error);
  if (const int error = poller_.add(fd_, dispatch::Interest::read, slot_)) return failed(error);
  return "";
}

std::string Writer::ask_to_stop() {
  const std::byte word{1};
  const ssize_t sent = net::transmit(fd_, std::span(&word, 1));
  return sent == 1 ? "" : std::string("cannot ask who writes to stop: ") + std::strerror(static_cast<int>(-sent));
}

bool Writer::stopped() noexcept {
  std::byte word{};
  const ssize_t got = net::receive(fd_, std::span(&word, 1));
  if (net::would_block(got)) {
    poller_.rearm(slot_);
    return false;
  }
  end();
  return true;
}

}  // namespace migrate
