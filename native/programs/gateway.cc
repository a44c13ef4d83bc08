// dispatchbench-gateway: an event-driven HTTP gateway on any backend. Options: gateway/options.h. It prints `gateway` once
// it listens and `first-reply` after the first reply 200; with --control the lines of src/contract/server.ts as well.
#include <unistd.h>

#include <cstdio>
#include <span>
#include <string>

#include "gateway/gateway.h"
#include "gateway/options.h"
#include "process/clock.h"
#include "process/json_line.h"
#include "servers/control.h"
#include "servers/report.h"
#include "servers/server.h"
#include "servers/turns.h"

namespace {

using process::JsonLine;
using process::monotonic_now;
using process::print_line;

std::string gateway_line(const std::string& backend, int socket, process::Nanoseconds started,
                         process::Nanoseconds bound) {
  const net::Address address = net::local_address(socket);
  return JsonLine()
      .string("event", "gateway")
      .string("name", "event-driven")
      .string("mode", backend)
      .string("address", address.host())
      .number("port", address.port())
      .number("pid", getpid())
      .null("module")
      .object("phases", JsonLine()
                            .number("main", started)
                            .number("bound", bound)
                            .null("compiled")
                            .null("instantiated")
                            .number("listening", monotonic_now()))
      .text();
}

std::string run(const gateway::Options& options, const char* program, process::Nanoseconds started) {
  const servers::Options& serving = options.serving;
  servers::Control control;
  std::string fault = servers::prepare(serving, control);
  if (!fault.empty()) return fault;
  const auto poller = servers::open_poller(serving, control.descriptors(), fault);
  if (poller == nullptr) return fault;
  servers::Statistics statistics;
  gateway::Gateway service(*poller, options, statistics);
  fault = service.open();
  if (!fault.empty()) return fault;
  const process::Nanoseconds bound = monotonic_now();
  if (serving.control) {
    const servers::Identity identity{.impl = "native", .io = "", .versions = "", .program = program};
    print_line(servers::hello_line(serving, identity, &poller->capabilities(), service.socket()));
  }
  print_line(gateway_line(serving.backend, service.socket(), started, bound));
  fault = servers::turn_until_stopped(*poller, control, service, statistics, serving);
  if (serving.control) {
    const std::string_view reason = fault.empty() ? control.reason() : "error";
    print_line(servers::farewell_line(reason, started, statistics, &poller->counters()));
  }
  return fault;
}

int complain(const std::string& fault, int code) {
  std::fprintf(stderr, "dispatchbench-gateway: %s\n", fault.c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const process::Nanoseconds started = monotonic_now();
  gateway::Options options;
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (const std::string fault = gateway::parse_options(arguments.subspan(1), options); !fault.empty()) {
    return complain(fault, 2);
  }
  const std::string fault = run(options, argv[0], started);
  return fault.empty() ? 0 : complain(fault, 1);
}
