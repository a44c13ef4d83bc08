#include "cost/report.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "process/affinity.h"
#include "process/digest.h"
#include "process/identity.h"
#include "process/json_line.h"
#include "process/usage.h"
#include "servers/dispatch_json.h"

namespace cost {
namespace {

using process::JsonLine;

std::string decimal(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

/// The smallest round that `share` of all rounds do not exceed. `sorted` is not empty.
process::Nanoseconds percentile(const std::vector<process::Nanoseconds>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

JsonLine round_object(std::vector<process::Nanoseconds> rounds, process::Nanoseconds sum) {
  std::sort(rounds.begin(), rounds.end());
  const auto count = static_cast<double>(rounds.size());
  const double mean = static_cast<double>(sum) / count;
  double squares = 0;
  for (const process::Nanoseconds round : rounds) squares += std::pow(static_cast<double>(round) - mean, 2);
  return JsonLine()
      .number("min", rounds.front())
      .number("p50", percentile(rounds, 0.5))
      .number("p90", percentile(rounds, 0.9))
      .number("p99", percentile(rounds, 0.99))
      .number("max", rounds.back())
      .raw("mean", decimal(mean))
      .raw("stddev", decimal(rounds.size() > 1 ? std::sqrt(squares / (count - 1)) : 0));
}

void add_configuration(JsonLine& line, const Options& options, const dispatch::Capabilities* capabilities) {
  line.string("event", "cost")
      .string("mode", facts_of(options.mode).name)
      .string("impl", options.impl)
      .string("backend", options.backend);
  if (capabilities != nullptr) {
    line.object("capabilities", servers::capabilities_object(*capabilities));
  } else {
    line.null("capabilities");
  }
  line.number("pairs", options.pairs)
      .number("stride", options.stride)
      .number("active", options.active)
      .number("writes", options.writes)
      .number("budget", options.budget)
      .number("maxEvents", options.max_events);
  if (options.look_first) line.boolean("lookFirst", true);
  line.number("seed", options.seed);
}

void add_figures(JsonLine& line, const Measurement& m) {
  const process::Nanoseconds sum = std::accumulate(m.rounds.begin(), m.rounds.end(), process::Nanoseconds{0});
  const std::uint64_t events = m.after.events - m.before.events;
  const ThreadUsage& before = m.before.usage;
  const ThreadUsage& after = m.after.usage;
  line.number("rounds", m.rounds.size())
      .number("warmupRounds", m.warmup_rounds)
      .number("events", events)
      .object("roundNs", round_object(m.rounds, sum))
      .raw("nsPerEvent", decimal(static_cast<double>(sum) / static_cast<double>(events)))
      .number("wallNs", m.after.wall - m.before.wall)
      .object("cpu", JsonLine()
                         .number("userUs", after.user_us - before.user_us)
                         .number("systemUs", after.system_us - before.system_us))
      .object("contextSwitches", JsonLine()
                                     .number("voluntary", after.voluntary_switches - before.voluntary_switches)
                                     .number("involuntary", after.involuntary_switches - before.involuntary_switches))
      .number("waits", m.after.effort.waits - m.before.effort.waits)
      .number("changeCalls", m.after.effort.change_calls - m.before.effort.change_calls);
  if (m.after.effort.counters.has_value()) {
    line.object("counters", servers::counters_object(*m.after.effort.counters - *m.before.effort.counters));
  } else {
    line.null("counters");
  }
}

void add_counted(JsonLine& line, const Measurement& m) {
  JsonLine object;
  for (std::size_t i = 0; i < m.after.counted.size(); ++i) {
    object.number(m.after.counted[i].first, m.after.counted[i].second - m.before.counted[i].second);
  }
  line.object("counted", object);
}

void add_writer(JsonLine& line, const Options& options, const Measurement& m, const WriterFacts* writer) {
  if (writer == nullptr) {
    line.null("writer");
    return;
  }
  JsonLine object;
  object.number("gapUs", options.gap_us).string("gap", writer->spins ? "spin" : "sleep");
  object.numbers("cpuAffinity", writer->affinity);
  if (kThreadUsageIsOfThread) {
    object.number("sleptRounds", m.after.slept - m.before.slept);
  } else {
    object.null("sleptRounds");
  }
  line.object("writer", object);
}

void add_identity(JsonLine& line, const Facts& facts) {
  const process::DescriptorLimit limit = process::descriptor_limit();
  JsonLine versions;
  versions.string("compiler", process::compiler());
  if (facts.library != nullptr) versions.string(facts.library, facts.library_version);
  line.object("descriptorLimit", JsonLine().number("soft", limit.soft).number("hard", limit.hard))
      .numbers("cpuAffinity", process::affinity())
      .number("pid", getpid())
      .string("kernel", process::kernel_release())
      .object("versions", versions)
      .string("compilerFlags", process::compiler_flags())
      .string("digest", process::file_digest(facts.program));
}

}  // namespace

std::string cost_line(const Options& options, const Measurement& measurement, const Facts& facts) {
  JsonLine line;
  add_configuration(line, options, facts.capabilities);
  add_figures(line, measurement);
  add_counted(line, measurement);
  add_writer(line, options, measurement, facts.writer);
  add_identity(line, facts);
  return line.text();
}

}  // namespace cost
