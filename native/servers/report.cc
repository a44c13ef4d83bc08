#include "servers/report.h"

#include <unistd.h>

#include "process/affinity.h"
#include "process/clock.h"
#include "process/digest.h"
#include "process/identity.h"
#include "process/json_line.h"
#include "process/usage.h"
#include "servers/dispatch_json.h"

namespace servers {
namespace {

using process::JsonLine;

/// A list of objects, as JSON.
std::string rows_of(std::span<const Statistics> workers) {
  std::string rows;
  for (const Statistics& one : workers) {
    rows += rows.empty() ? '[' : ',';
    rows += JsonLine()
                .number("accepted", one.accepted)
                .number("emptyAccepts", one.empty_accepts)
                .number("connections", one.connections())
                .number("requests", one.requests)
                .text();
  }
  return rows + "]";
}

void add_body(JsonLine& line, const Statistics& s, const dispatch::Counters* counters,
              std::span<const Statistics> workers) {
  const process::Usage u = process::usage();
  line.number("monotonicNs", process::monotonic_now())
      .number("requests", s.requests)
      .number("connections", s.connections())
      .number("accepted", s.accepted)
      .number("closed", s.closed)
      .number("bytesIn", s.bytes_in)
      .number("bytesOut", s.bytes_out)
      .number("rejected", s.rejected)
      .number("unsent", s.unsent)
      .object("cpu", JsonLine().number("userUs", u.user_us).number("systemUs", u.system_us))
      .object("contextSwitches",
              JsonLine().number("voluntary", u.voluntary_switches).number("involuntary", u.involuntary_switches))
      .number("rssBytes", u.rss_bytes)
      .number("peakRssBytes", u.peak_rss_bytes);
  if (counters != nullptr) {
    line.object("counters", counters_object(*counters));
  } else {
    line.null("counters");
  }
  line.numbers("eventsPerWait", s.events_per_wait).null("tree");
  if (!workers.empty()) line.raw("workers", rows_of(workers));
}

}  // namespace

std::string hello_line(const Options& options, const Identity& identity, const dispatch::Capabilities* capabilities,
                       int socket) {
  const net::Address bound = net::local_address(socket);
  const process::DescriptorLimit limit = process::descriptor_limit();
  const Budgets& b = options.budgets;
  JsonLine line;
  line.string("event", "hello")
      .string("subject", "dispatch")
      .string("protocol", options.protocol)
      .string("impl", identity.impl)
      .string("backend", options.backend);
  if (identity.io.empty()) {
    line.null("io");
  } else {
    line.string("io", identity.io);
  }
  if (capabilities != nullptr) {
    line.object("capabilities", capabilities_object(*capabilities));
  } else {
    line.null("capabilities");
  }
  if (!identity.engine.empty()) line.raw("engine", identity.engine);
  line.string("address", bound.host())
      .number("port", bound.port())
      .number("ports", options.ports)
      .number("pid", getpid())
      .string("kernel", process::kernel_release())
      .object("descriptorLimit", JsonLine().number("soft", limit.soft).number("hard", limit.hard))
      .numbers("cpuAffinity", process::affinity());
  if (identity.versions.empty()) {
    line.object("versions", JsonLine().string("compiler", process::compiler()));
  } else {
    line.raw("versions", identity.versions);
  }
  line.string("compilerFlags", process::compiler_flags())
      .object("budgets", JsonLine()
                             .number("accept", b.accept)
                             .number("readBytes", b.reads * kReceiveWindow)
                             .number("reads", b.reads)
                             .number("datagrams", b.datagrams)
                             .number("maxEvents", b.max_events))
      .number("listenBacklog", net::listen_backlog(socket, static_cast<int>(options.backlog)))
      .boolean("nodelay", true);
  const std::string congestion = options.protocol == "udp-echo" ? "" : net::congestion_control(socket);
  if (congestion.empty()) {
    line.null("congestionControl");
  } else {
    line.string("congestionControl", congestion);
  }
  if (!identity.busy_poll.empty()) line.raw("busyPoll", identity.busy_poll);
  if (options.least_wait > 0) line.number("leastWaitUs", options.least_wait);
  if (options.workers > 1) {
    line.object("workers", JsonLine().number("count", options.workers).string("accept", options.accept));
  }
  line.string("digest", process::file_digest(identity.program.c_str()));
  return line.text();
}

std::string snapshot_line(std::string_view id, const Statistics& statistics, const dispatch::Counters* counters,
                          std::span<const Statistics> workers) {
  JsonLine line;
  line.string("event", "snapshot").string("id", id);
  add_body(line, statistics, counters, workers);
  return line.text();
}

std::string farewell_line(std::string_view reason, std::int64_t started_ns, const Statistics& statistics,
                          const dispatch::Counters* counters, std::span<const Statistics> workers) {
  JsonLine line;
  line.string("event", "farewell").number("wallNs", process::monotonic_now() - started_ns).string("reason", reason);
  add_body(line, statistics, counters, workers);
  return line.text();
}

}  // namespace servers
