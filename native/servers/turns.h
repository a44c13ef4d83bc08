// The loop of a server: waits, and hands events to a service and to the control channel, until it is told to stop.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dispatch/poller.h"
#include "process/json_line.h"
#include "servers/control.h"
#include "servers/options.h"
#include "servers/report.h"
#include "servers/statistics.h"

namespace servers {

/// The poller of `options.backend`, which watches the control channel; null with one sentence in `fault`.
std::unique_ptr<dispatch::Poller> open_poller(const Options& options, const Control& control, std::string& fault);

/// A Service is one kind of server on a poller: TcpServer<...> and its siblings. It takes events of its own registrations
/// (`on_event`), says how long the next wait may take (`patience`), and does after the events of a turn what none of them
/// asks for (`end_turn`). Returns one sentence when the wait itself fails.
template <class Service>
std::string turn_until_stopped(dispatch::Poller& poller, Control& control, Service& service, Statistics& statistics,
                               const Options& options) {
  std::vector<dispatch::Event> events(options.budgets.max_events);
  const auto on_snapshot = [&](std::string_view id) {
    process::print_line(snapshot_line(id, statistics, &poller.counters()));
  };
  while (!control.stopping()) {
    const dispatch::WaitResult result = poller.wait(events, service.patience());
    if (result.error != 0) {
      return std::string(poller.capabilities().wait_call) + " failed: " + std::strerror(result.error);
    }
    statistics.count_wait(result.count);
    for (const dispatch::Event& event : std::span(events).first(static_cast<std::size_t>(result.count))) {
      if (!poller.current(event)) continue;
      const dispatch::Handle handle = poller.handle(event.slot);
      if (control.owns(handle)) [[unlikely]] {
        control.on_readable(handle, on_snapshot);
        poller.rearm(event.slot);
      } else {
        service.on_event(event);
      }
    }
    service.end_turn();
  }
  return "";
}

}  // namespace servers
