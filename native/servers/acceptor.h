// The listening end of a TCP server: accepts within a budget, and turns away what cannot be served, saying why once.
#pragma once

#include <string>

#include "dispatch/poller.h"
#include "net/spare_descriptor.h"
#include "servers/options.h"
#include "servers/statistics.h"

namespace servers {

class Acceptor {
 public:
  Acceptor(dispatch::Poller& poller, const Options& options, Statistics& statistics)
      : poller_(poller), options_(options), statistics_(statistics),
        edge_(poller.capabilities().trigger == dispatch::Trigger::edge) {}
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Binds, listens and registers. Returns one sentence on what failed, empty when nothing did.
  std::string open();
  /// Registers a socket that listens already, and is closed by whoever opened it. `exclusive`: of the workers that wait for
  /// it, one is woken for a connection.
  std::string open(dispatch::Handle listening, bool exclusive);
  dispatch::Slot slot() const noexcept { return listener_; }
  dispatch::Handle socket() const noexcept { return poller_.handle(listener_); }

  /// Accepts what waits and registers it for reading; calls `admitted(slot)` for each. True when the caller has to come
  /// again unasked, because an edge-triggered backend will not report what still waits.
  template <class Admitted>
  bool accept_some(Admitted admitted) {
    bool more = true;
    std::uint32_t taken = 0;
    for (std::uint32_t i = 0; more && i < options_.budgets.accept; ++i) {
      const dispatch::Slot slot = accept_one(more);
      if (slot == dispatch::kNoSlot) continue;
      admitted(slot);
      ++taken;
    }
    if (taken == 0) ++statistics_.empty_accepts;
    poller_.rearm(listener_);
    return more && edge_;
  }

 private:
  dispatch::Slot accept_one(bool& more);
  dispatch::Slot admit(dispatch::Handle handle);
  void refuse(dispatch::Handle handle, const char* why);

  dispatch::Poller& poller_;
  const Options& options_;
  Statistics& statistics_;
  const bool edge_;
  dispatch::Slot listener_ = dispatch::kNoSlot;
  bool owned_ = false;  // the listening socket is closed with this
  bool explained_ = false;
  net::SpareDescriptor spare_;
};

}  // namespace servers
