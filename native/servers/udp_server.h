// The datagram echo as a service of a poller, on any backend; see turns.h for what a service is.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "dispatch/poller.h"
#include "servers/udp_echo.h"

namespace servers {

class UdpServer {
 public:
  UdpServer(dispatch::Poller& poller, const Options& options, Statistics& statistics)
      : poller_(poller), edge_(poller.capabilities().trigger == dispatch::Trigger::edge),
        echo_(options, statistics, edge_), needs_rearm_(poller.capabilities().needs_rearm) {}

  /// Binds all ports and registers them. Returns one sentence on what failed, empty when nothing did.
  std::string open() {
    if (std::string fault = echo_.open(); !fault.empty()) return fault;
    for (const dispatch::Handle socket : echo_.sockets()) {
      dispatch::Slot slot = dispatch::kNoSlot;
      if (const int error = poller_.add(socket, dispatch::Interest::read, slot); error != 0) {
        return std::string(poller_.entry().name) + " cannot watch socket " + std::to_string(socket) + ": " +
               std::strerror(error) + (error == ERANGE ? "; ask for fewer ports" : "");
      }
      echo_.name(socket, slot);
    }
    return "";
  }
  dispatch::Handle socket() const noexcept { return echo_.sockets().front(); }

  void on_event(const dispatch::Event& event) { serve(event.slot); }

  /// Edge-triggered only: while there are sockets whose budget ended before their datagrams did, the next wait must not
  /// block.
  dispatch::TimeoutNs patience() const noexcept { return backlog_.empty() ? dispatch::kForever : 0; }
  void end_turn() {
    if (backlog_.empty()) return;
    for (const dispatch::Slot slot : std::exchange(backlog_, {})) serve(slot);
  }

 private:
  void serve(dispatch::Slot slot) {
    const bool more = echo_.serve(slot);
    if (edge_ && more) backlog_.push_back(slot);
    if (needs_rearm_) poller_.rearm(slot);
  }

  dispatch::Poller& poller_;
  const bool edge_;
  UdpEcho echo_;
  const bool needs_rearm_;
  std::vector<dispatch::Slot> backlog_;
};

}  // namespace servers
