// A round of `udp-fan-in`: one sender has sent a datagram to each of `active` UDP sockets that stand beside the idle pairs,
// and `writes` further ones to the same in turn; at each event a handler receives at most `budget`. Timed from the first
// wait until all are received; sending lies outside. An event is one datagram.
//
// a) A budget that is not used up ends with a receive that finds none; with budget 1 there is none in vain, and a socket
//    with several datagrams is reported again.
// b) An edge-triggered mechanism does not repeat itself: there the handler receives until none is left.
// c) Datagrams that would not fit a receive buffer are refused beforehand: on loopback none is lost otherwise.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "cost/counted.h"
#include "cost/options.h"
#include "cost/pairs.h"
#include "net/socket.h"
#include "net/udp_socket.h"
#include "process/clock.h"

namespace cost {

template <class Waiter>
class UdpFanIn {
 public:
  UdpFanIn(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter),
        first_key_(pairs.size()),
        active_(options.active),
        datagrams_(options.active + options.writes),
        budget_(waiter.repeats() ? options.budget : UINT32_MAX) {}
  ~UdpFanIn() {
    for (const int fd : sockets_) close(fd);
    if (sender_ >= 0) close(sender_);
  }

  std::string open() {
    if (datagrams_ > active_ * kMostEach) {
      return "--writes is too large: a receive buffer of the usual size holds " + std::to_string(kMostEach) +
             " datagrams for certain, so at most " + std::to_string(active_ * (kMostEach - 1)) + " for " +
             std::to_string(active_) + " sockets";
    }
    net::Address any;
    net::parse_address("127.0.0.1", 0, any);
    sender_ = net::open_udp(any, {});
    if (sender_ < 0) return refusal(-sender_);
    for (std::uint32_t i = 0; i < active_; ++i) {
      const int fd = net::open_udp(any, {});
      if (fd < 0) return refusal(-fd);
      sockets_.push_back(fd);
      addresses_.push_back(net::local_address(fd));
      if (const int error = waiter_.watch(fd, first_key_ + i)) return refusal(error);
    }
    return "";
  }

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() {
    static constexpr char kPayload[16] = {};
    for (std::uint32_t i = 0; i < datagrams_; ++i) {
      const net::Address& to = addresses_[i % active_];
      if (sendto(sender_, kPayload, sizeof kPayload, 0, to.raw(), to.length) < 0) return -errno;
    }
    left_ = datagrams_;
    int error = 0;
    const process::Nanoseconds start = process::monotonic_now();
    while (left_ > 0 && error == 0) {
      error = waiter_.wait([&](std::uint32_t key) { receive_some(sockets_[key - first_key_]); });
    }
    const process::Nanoseconds end = process::monotonic_now();
    return error != 0 ? -error : end - start;
  }

  /// Datagrams received, since the start.
  std::uint64_t events() const noexcept { return events_; }
  Counted counted() const { return {{"turns", turns_}, {"receivedNone", none_}}; }

 private:
  static constexpr std::uint32_t kMostEach = 64;

  static std::string refusal(int error) { return std::string("cannot open UDP sockets: ") + std::strerror(error); }

  void receive_some(int fd) {
    ++turns_;
    std::array<std::byte, 64> bytes;
    for (std::uint32_t i = 0; i < budget_; ++i) {
      if (net::receive(fd, bytes) < 0) {
        ++none_;
        return;
      }
      --left_;
      ++events_;
    }
  }

  Waiter& waiter_;
  const std::uint32_t first_key_;
  const std::uint32_t active_;
  const std::uint32_t datagrams_;
  const std::uint32_t budget_;
  int sender_ = -1;
  std::vector<int> sockets_;
  std::vector<net::Address> addresses_;
  std::uint32_t left_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t turns_ = 0;  // events of sockets
  std::uint64_t none_ = 0;   // receives that found none
};

}  // namespace cost
