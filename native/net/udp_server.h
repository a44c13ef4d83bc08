// The datagram echo as a service of a poller, on any backend; see server.cc for what a service is.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "dispatch/poller.h"
#include "net/udp_echo.h"

namespace net {

class UdpServer {
 public:
  UdpServer(dispatch::Poller& poller, const Options& options, Statistics& statistics)
      : poller_(poller), edge_(poller.capabilities().trigger == dispatch::Trigger::edge),
        echo_(options, statistics, edge_), needs_rearm_(poller.capabilities().needs_rearm) {}

  /// Binds all ports and registers them. Returns one sentence on what failed, empty when nothing did.
  std::string open() {
    if (std::string fault = echo_.open(); !fault.empty()) return fault;
    for (const int fd : echo_.sockets()) {
      if (const int error = poller_.add(fd, dispatch::Interest::read); error != 0) {
        return std::string(poller_.entry().name) + " cannot watch socket " + std::to_string(fd) + ": " +
               std::strerror(error) + (error == ERANGE ? "; ask for fewer ports" : "");
      }
    }
    return "";
  }
  Address address() const noexcept { return echo_.address(); }

  void on_event(const dispatch::Event& event) { serve(static_cast<int>(event.slot)); }

  /// Edge-triggered only: sockets whose budget ended before their datagrams did. The next wait must not block while
  /// there are any; call resume() after it.
  bool has_backlog() const noexcept { return !backlog_.empty(); }
  void resume() {
    for (const int fd : std::exchange(backlog_, {})) serve(fd);
  }

 private:
  void serve(int fd) {
    const bool more = echo_.serve(fd);
    if (edge_ && more) backlog_.push_back(fd);
    if (needs_rearm_) poller_.rearm(fd);
  }

  dispatch::Poller& poller_;
  const bool edge_;
  UdpEcho echo_;
  const bool needs_rearm_;
  std::vector<int> backlog_;
};

}  // namespace net
