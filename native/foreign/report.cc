#include "foreign/report.h"

#include <algorithm>
#include <cstdio>

#include "process/affinity.h"
#include "process/digest.h"
#include "process/identity.h"
#include "process/json_line.h"
#include "process/usage.h"

namespace foreign {
namespace {

using process::JsonLine;

template <class Number>
void number_or_null(JsonLine& line, std::string_view key, const std::optional<Number>& value) {
  if (value) line.number(key, *value);
  else line.null(key);
}

void add_body(JsonLine& line, const TreeFigures& figures, std::uint64_t connections) {
  line.number("monotonicNs", figures.monotonic_ns).null("requests").number("connections", connections);
  for (const char* untold : {"accepted", "closed", "bytesIn", "bytesOut", "rejected"}) line.null(untold);
  line.object("cpu", JsonLine().number("userUs", figures.user_us).number("systemUs", figures.system_us));
  if (figures.switches) {
    line.object("contextSwitches", JsonLine()
                                       .number("voluntary", figures.switches->voluntary)
                                       .number("involuntary", figures.switches->involuntary));
  } else {
    line.null("contextSwitches");
  }
  line.number("rssBytes", figures.rss_bytes)
      .number("peakRssBytes", figures.peak_rss_bytes)
      .null("counters")
      .null("eventsPerWait");
  JsonLine tree;
  number_or_null(tree, "processesStarted", figures.processes_started);
  tree.number("processesNow", figures.processes_now);
  number_or_null(tree, "pssBytes", figures.pss_bytes);
  number_or_null(tree, "peakBytes", figures.peak_bytes);
  line.object("tree", tree);
}

std::vector<int> cpus_of(const Options& options) {
  std::vector<int> cpus = options.cpus.empty() ? process::affinity() : options.cpus;
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

}  // namespace

std::string hello_line(const Options& options, const Subject& subject) {
  const process::DescriptorLimit limit = process::descriptor_limit();
  char ready_after[32];
  std::snprintf(ready_after, sizeof ready_after, "%.3f", static_cast<double>(subject.ready_after_ns) / 1e6);
  JsonLine line;
  line.string("event", "hello")
      .string("subject", "foreign")
      .string("protocol", kProtocolNames[static_cast<std::size_t>(options.protocol)])
      .string("address", options.address.host())
      .number("port", options.address.port())
      .number("ports", options.ports)
      .number("pid", subject.pid)
      .string("kernel", process::kernel_release())
      .object("descriptorLimit", JsonLine().number("soft", limit.soft).number("hard", limit.hard))
      .numbers("cpuAffinity", cpus_of(options))
      .object("versions", JsonLine())
      .string("digest", process::file_digest(subject.executable.c_str()))
      .strings("command", subject.command)
      .string("accounting", kAccountingNames[static_cast<std::size_t>(subject.accounting)])
      .number("startedNs", subject.started_ns)
      .raw("readyAfterMs", ready_after);
  return line.text();
}

std::string snapshot_line(std::string_view id, const TreeFigures& figures, std::uint64_t connections) {
  JsonLine line;
  line.string("event", "snapshot").string("id", id);
  add_body(line, figures, connections);
  return line.text();
}

std::string farewell_line(std::string_view reason, std::int64_t wall_ns, const TreeFigures& figures,
                          std::uint64_t connections) {
  JsonLine line;
  line.string("event", "farewell").number("wallNs", wall_ns).string("reason", reason);
  add_body(line, figures, connections);
  return line.text();
}

}  // namespace foreign
