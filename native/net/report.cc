#include "net/report.h"

#include <unistd.h>

#include "net/digest.h"
#include "net/json.h"
#include "net/process.h"

namespace net {
namespace {

JsonLine capabilities_object(const dispatch::Capabilities& c) {
  return JsonLine()
      .string("trigger", name_of(c.trigger))
      .string("waitComplexity", name_of(c.wait_complexity))
      .number("timeoutResolutionNs", c.timeout_resolution_ns)
      .number("maxDescriptor", c.max_descriptor)
      .boolean("needsRearm", c.needs_rearm)
      .boolean("reportsReadClosed", c.reports_read_closed)
      .boolean("batchedChanges", c.batched_changes)
      .string("waitCall", c.wait_call);
}

JsonLine counters_object(const dispatch::Counters& c) {
  return JsonLine()
      .number("waits", c.waits)
      .number("emptyWaits", c.empty_waits)
      .number("saturatedWaits", c.saturated_waits)
      .number("events", c.events)
      .number("rawEvents", c.raw_events)
      .number("changeCalls", c.change_calls)
      .number("changes", c.changes)
      .number("stale", c.stale)
      .number("spurious", c.spurious)
      .number("rearms", c.rearms)
      .number("interrupted", c.interrupted);
}

void add_body(JsonLine& line, const Statistics& s, const dispatch::Counters* counters) {
  const Usage u = usage();
  line.number("monotonicNs", monotonic_ns())
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
  line.numbers("eventsPerWait", s.events_per_wait);
}

}  // namespace

std::string hello_line(const Options& options, const Identity& identity, const dispatch::Capabilities* capabilities,
                       const Address& bound) {
  const DescriptorLimit limit = descriptor_limit();
  const Budgets& b = options.budgets;
  JsonLine line;
  line.string("event", "hello").string("protocol", options.protocol).string("impl", identity.impl);
  line.string("backend", options.backend);
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
  line.string("address", bound.host())
      .number("port", bound.port())
      .number("ports", options.ports)
      .number("pid", getpid())
      .string("kernel", kernel_release())
      .object("descriptorLimit", JsonLine().number("soft", limit.soft).number("hard", limit.hard))
      .numbers("cpuAffinity", affinity());
  if (identity.versions.empty()) {
    line.object("versions", JsonLine().string("compiler", compiler()));
  } else {
    line.raw("versions", identity.versions);
  }
  line.string("compilerFlags", compiler_flags())
      .object("budgets", JsonLine()
                             .number("accept", b.accept)
                             .number("readBytes", b.reads * kReceiveWindow)
                             .number("reads", b.reads)
                             .number("datagrams", b.datagrams)
                             .number("maxEvents", b.max_events))
      .number("listenBacklog", options.backlog)
      .boolean("nodelay", true)
      .string("digest", file_digest(identity.program.c_str()));
  return line.text();
}

std::string snapshot_line(std::string_view id, const Statistics& statistics, const dispatch::Counters* counters) {
  JsonLine line;
  line.string("event", "snapshot").string("id", id);
  add_body(line, statistics, counters);
  return line.text();
}

std::string farewell_line(std::string_view reason, std::int64_t started_ns, const Statistics& statistics,
                          const dispatch::Counters* counters) {
  JsonLine line;
  line.string("event", "farewell").number("wallNs", monotonic_ns() - started_ns).string("reason", reason);
  add_body(line, statistics, counters);
  return line.text();
}

}  // namespace net
