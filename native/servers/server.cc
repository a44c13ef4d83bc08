#include "servers/server.h"

#include <cstring>

#include "dispatch/poller.h"
#include "servers/busy_poll.h"
#include "process/affinity.h"
#include "process/clock.h"
#include "process/json_line.h"
#include "process/usage.h"
#include "servers/control.h"
#include "servers/tcp_server.h"
#include "servers/turns.h"
#include "servers/udp_server.h"
#include "servers/workers.h"

namespace servers {
namespace {

using dispatch::Poller;
using process::print_line;

template <class Service>
std::string serve(Poller& poller, Control& control, const Options& options, Identity identity) {
  const std::int64_t started = process::monotonic_now();
  Statistics statistics;
  Service service(poller, options, statistics);
  if (const std::string fault = service.open(); !fault.empty()) return fault;
  if (std::string refusal = poll_busily(poller, service.socket(), options, identity.busy_poll); !refusal.empty()) {
    return refusal;
  }
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

std::unique_ptr<Poller> open_poller(const Options& options, std::span<const int> channel, std::string& fault) {
  dispatch::Probe probe;
  auto poller = Poller::open(options.backend, probe);
  if (poller == nullptr) {
    fault = backend_refusal(options.backend, probe.reason);
    return nullptr;
  }
  if (options.least_wait > 0) poller->wait_at_least(options.least_wait);
  for (const int fd : channel) {
    dispatch::Slot slot = dispatch::kNoSlot;
    if (const int error = poller->add(fd, dispatch::Interest::read, slot)) {
      fault = "stdin cannot be a control channel (" + std::string(std::strerror(error)) + "): give it a pipe";
      return nullptr;
    }
  }
  return poller;
}

std::string run_server(const Options& options, const Identity& identity) {
  Control control;
  std::string fault = prepare(options, control);
  if (!fault.empty()) return fault;
  if (options.workers > 1) return serve_by_workers(control, options, identity);
  const auto poller = open_poller(options, control.descriptors(), fault);
  if (poller == nullptr) return fault;
  if (options.protocol == "tcp-echo") return serve<TcpServer<Echo>>(*poller, control, options, identity);
  if (options.protocol == "http") return serve<TcpServer<Http>>(*poller, control, options, identity);
  if (options.protocol == "udp-echo") return serve<UdpServer>(*poller, control, options, identity);
  return "unknown protocol '" + options.protocol + "': tcp-echo, udp-echo or http";
}

}  // namespace servers
