#include "servers/server.h"

#include <cstring>

#include "dispatch/poller.h"
#include "process/affinity.h"
#include "process/clock.h"
#include "process/json_line.h"
#include "process/usage.h"
#include "servers/control.h"
#include "servers/tcp_server.h"
#include "servers/udp_server.h"

namespace servers {
namespace {

using dispatch::Event;
using dispatch::Poller;
using process::print_line;

// A Service is one kind of server on a poller: TcpServer<...> and its siblings. It has open(), socket(), on_event(),
// has_backlog() and resume() as described in tcp_server.h.
template <class Service>
std::string turn_until_stopped(Poller& poller, Control& control, Service& service, Statistics& statistics,
                               const Options& options) {
  std::vector<Event> events(options.budgets.max_events);
  const auto on_snapshot = [&](std::string_view id) { print_line(snapshot_line(id, statistics, &poller.counters())); };
  while (!control.stopping()) {
    const dispatch::WaitResult result = poller.wait(events, service.has_backlog() ? 0 : dispatch::kForever);
    if (result.error != 0) {
      return std::string(poller.capabilities().wait_call) + " failed: " + std::strerror(result.error);
    }
    statistics.count_wait(result.count);
    for (const Event& event : std::span(events).first(static_cast<std::size_t>(result.count))) {
      if (!poller.current(event)) continue;
      const dispatch::Handle handle = poller.handle(event.slot);
      if (control.owns(handle)) [[unlikely]] {
        control.on_readable(handle, on_snapshot);
        poller.rearm(event.slot);
      } else {
        service.on_event(event);
      }
    }
    if (service.has_backlog()) service.resume();
  }
  return "";
}

template <class Service>
std::string serve(Poller& poller, Control& control, const Options& options, const Identity& identity) {
  const std::int64_t started = process::monotonic_now();
  Statistics statistics;
  Service service(poller, options, statistics);
  if (const std::string fault = service.open(); !fault.empty()) return fault;
  print_line(hello_line(options, identity, &poller.capabilities(), service.socket()));
  const std::string fault = turn_until_stopped(poller, control, service, statistics, options);
  print_line(farewell_line(fault.empty() ? control.reason() : "error", started, statistics, &poller.counters()));
  return fault;
}

}  // namespace

std::string backend_refusal(const std::string& backend, const std::string& reason) {
  if (dispatch::find_backend(backend) != nullptr) {
    return "backend '" + backend + "' is not available here: " + reason;
  }
  std::string names;
  for (const dispatch::BackendEntry& entry : dispatch::backends()) {
    if (dispatch::probe(entry).available) names += (names.empty() ? "" : ", ") + std::string(entry.name);
  }
  return "unknown backend '" + backend + "': this system has " + names;
}

std::string prepare(const Options& options, Control& control) {
  process::raise_descriptor_limit();
  if (!options.cpus.empty()) {
    const int error = process::set_affinity(options.cpus);
    if (error != 0) return std::string("--cpu cannot be met: ") + std::strerror(error);
  }
  const int error = control.open(options.control);
  return error == 0 ? "" : "cannot open the control channel: " + std::string(std::strerror(error));
}

std::string run_server(const Options& options, const Identity& identity) {
  Control control;
  if (const std::string fault = prepare(options, control); !fault.empty()) return fault;
  dispatch::Probe probe;
  const auto poller = Poller::open(options.backend, probe);
  if (poller == nullptr) return backend_refusal(options.backend, probe.reason);
  for (const int fd : control.descriptors()) {
    dispatch::Slot slot = dispatch::kNoSlot;
    if (const int error = poller->add(fd, dispatch::Interest::read, slot)) {
      return "stdin cannot be a control channel (" + std::string(std::strerror(error)) + "): give it a pipe";
    }
  }
  if (options.protocol == "tcp-echo") return serve<TcpServer<Echo>>(*poller, control, options, identity);
  if (options.protocol == "http") return serve<TcpServer<Http>>(*poller, control, options, identity);
  if (options.protocol == "udp-echo") return serve<UdpServer>(*poller, control, options, identity);
  return "unknown protocol '" + options.protocol + "': tcp-echo, udp-echo or http";
}

}  // namespace servers
