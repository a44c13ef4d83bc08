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

/// The poller of `options.backend`, which watches the descriptors of a channel; null with one sentence in `fault`.
std::unique_ptr<dispatch::Poller> open_poller(const Options& options, std::span<const int> channel, std::string& fault);

/// A Service is one kind of server on a poller: TcpServer<...> and its siblings. It takes events of its own registrations
/// (`on_event`), says how long the next wait may take (`patience`), and does after the events of a turn what none of them
/// asks for (`end_turn`). A Channel is how it is told to stop and to tell: Control, or the mailbox of a worker.
/// `on_snapshot(id)` answers who asks. Returns one sentence when the wait itself fails.
template <class Channel, class Service, class OnSnapshot>
std::string turn_until_stopped(dispatch::Poller& poller, Channel& channel, Service& service, Statistics& statistics,
                               const Options& options, const OnSnapshot& on_snapshot) {
  std::vector<dispatch::Event> events(options.budgets.max_events);
  while (!channel.stopping()) {
    const dispatch::WaitResult result = poller.wait(events, service.patience());
    if (result.error != 0) {
      return std::string(poller.capabilities().wait_call) + " failed: " + std::strerror(result.error);
    }
    statistics.count_wait(result.count);
    for (const dispatch::Event& event : std::span(events).first(static_cast<std::size_t>(result.count))) {
      if (!poller.current(event)) continue;
      const dispatch::Handle handle = poller.handle(event.slot);
      if (channel.owns(handle)) [[unlikely]] {
        channel.on_readable(handle, on_snapshot);
        poller.rearm(event.slot);
      } else {
        service.on_event(event);
      }
    }
    service.end_turn();
  }
  return "";
}

/// The same of a server of one thread, which prints its own lines.
template <class Service>
std::string turn_until_stopped(dispatch::Poller& poller, Control& control, Service& service, Statistics& statistics,
                               const Options& options) {
  return turn_until_stopped(poller, control, service, statistics, options, [&](std::string_view id) {
    process::print_line(snapshot_line(id, statistics, &poller.counters()));
  });
}

}  // namespace servers
