// A round of `accept-storm`: `active` connections wait at a listening socket that stands beside the idle pairs, and at each
// of its events a handler accepts at most `budget` of them. Timed from the first wait until all are accepted; connecting
// and closing lie outside. An event is one connection.
//
// a) With budget 1 no call of accept is in vain, and every connection pays for a wait; a larger budget saves waits, and pays
//    one accept that finds none when it is not used up.
// b) An edge-triggered mechanism tells of what is left only when a further connection comes: there the handler accepts
//    until none is left, whatever the budget.
// c) Clients end by a reset (SO_LINGER 0), so that no port stays in TIME_WAIT.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "cost/counted.h"
#include "cost/options.h"
#include "cost/pairs.h"
#include "net/socket.h"
#include "process/clock.h"

namespace cost {

template <class Waiter>
class AcceptStorm {
 public:
  AcceptStorm(Waiter& waiter, const Pairs& pairs, const Options& options)
      : waiter_(waiter),
        key_(pairs.size()),
        active_(options.active),
        budget_(waiter.repeats() ? options.budget : UINT32_MAX) {}
  ~AcceptStorm() {
    close_all();
    if (listener_ >= 0) close(listener_);
  }

  std::string open() {
    net::Address any;
    net::parse_address("127.0.0.1", 0, any);
    listener_ = net::listen_tcp(any, static_cast<int>(active_));
    if (listener_ < 0) return std::string("cannot listen on 127.0.0.1: ") + std::strerror(-listener_);
    address_ = net::local_address(listener_);
    const int most = net::listen_backlog(listener_, static_cast<int>(active_));
    if (static_cast<std::uint32_t>(most) < active_) {
      return std::to_string(active_) + " connections cannot wait at a listening socket, of which this system lets " +
             std::to_string(most) + " wait (net.core.somaxconn): take a smaller --active";
    }
    const int error = waiter_.watch(listener_, key_);
    return error != 0 ? std::string("cannot watch the listening socket: ") + std::strerror(error) : "";
  }

  /// Nanoseconds of one round, or a negative errno.
  process::Nanoseconds round() {
    if (const int error = connect_all()) return -error;
    int error = 0;
    const process::Nanoseconds start = process::monotonic_now();
    while (accepted_.size() < active_ && error == 0) {
      error = waiter_.wait([&](std::uint32_t) { accept_some(); });
    }
    const process::Nanoseconds end = process::monotonic_now();
    close_all();
    return error != 0 ? -error : end - start;
  }

  /// Connections accepted, since the start.
  std::uint64_t events() const noexcept { return events_; }
  Counted counted() const { return {{"turns", turns_}, {"acceptedNone", none_}}; }

 private:
  int connect_all() {
    for (std::uint32_t i = 0; i < active_; ++i) {
      const int client = net::connect_tcp(address_);
      if (client < 0) return -client;
      const linger reset{.l_onoff = 1, .l_linger = 0};
      setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      clients_.push_back(client);
    }
    return 0;
  }

  void accept_some() {
    ++turns_;
    for (std::uint32_t i = 0; i < budget_; ++i) {
      const int fd = net::accept_connection(listener_);
      if (fd < 0) {
        ++none_;
        return;
      }
      accepted_.push_back(fd);
      ++events_;
    }
  }

  void close_all() {
    for (const int fd : clients_) close(fd);
    for (const int fd : accepted_) close(fd);
    clients_.clear();
    accepted_.clear();
  }

  Waiter& waiter_;
  const std::uint32_t key_;
  const std::uint32_t active_;
  const std::uint32_t budget_;
  int listener_ = -1;
  net::Address address_;
  std::vector<int> clients_;
  std::vector<int> accepted_;
  std::uint64_t events_ = 0;
  std::uint64_t turns_ = 0;  // events of the listening socket
  std::uint64_t none_ = 0;   // accepts that found none
};

}  // namespace cost
