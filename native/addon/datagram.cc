// The datagram benchmark: starts engines on threads of their own, tells how far they are and hands over their outcome.
#include <concepts>

#include "addon/fields.h"
#include "addon/load.h"
#include "load/datagram_engine.h"

namespace addon {
namespace {

using load::DatagramConfig;
using load::DatagramEngine;
using load::DatagramPhase;
using Engines = Handles<DatagramEngine>;

Engines& engines_of(const Napi::CallbackInfo& info) { return *static_cast<Engines*>(info.Data()); }

DatagramEngine* engine_argument(const Napi::CallbackInfo& info) {
  return handle_argument(info, engines_of(info), "the benchmark is freed, or not of this environment");
}

load::PortOrder order_field(Fields& fields) {
  const std::string name = fields.text("portOrder");
  if (name == "random") return load::PortOrder::random;
  if (name == "zipf") return load::PortOrder::zipf;
  if (name != "round-robin") fields.fail("ERR_INVALID_ARG_VALUE", "portOrder must be random, round-robin or zipf");
  return load::PortOrder::round_robin;
}

DatagramConfig config_fields(Fields& fields) {
  DatagramConfig config;
  config.target = fields.address("host", "port");
  config.local.storage.ss_family = config.target.storage.ss_family;
  config.local.length = config.target.length;
  config.ports = fields.integer<std::uint32_t>("ports", 1, 65'535);
  config.sockets = fields.integer<std::uint32_t>("connections", 1, 1 << 20);
  config.workers = fields.integer<std::uint32_t>("workers", 1, 256);
  config.window = fields.integer<std::uint32_t>("pipelining", 1, 1 << 16);
  config.rate = fields.number("rate", 0, 1e8);
  config.open_loop = config.rate > 0;
  config.arrival = fields.boolean("exponential") ? load::Arrival::exponential : load::Arrival::fixed;
  config.order = order_field(fields);
  config.seed = fields.integer<std::uint64_t>("seed", 0, 9007199254740991);
  config.amount = fields.integer<std::uint64_t>("amount", 0, 9007199254740991);
  config.duration = fields.integer<load::Nanoseconds>("durationNs", 1e6, 8.64e13);
  config.timeout = fields.integer<load::Nanoseconds>("timeoutNs", 1e6, 3.6e12);
  config.interval = fields.integer<load::Nanoseconds>("intervalNs", 1e6, 3.6e12);
  config.size = fields.integer<std::size_t>("size", 0, net::kMaxDatagram);
  config.body = fields.bytes("body");
  config.echo = fields.boolean("echo");
  config.expected = fields.bytes("expected");
  config.receive_buffer = fields.integer<int>("receiveBuffer", 0, 1 << 30);
  config.send_buffer = fields.integer<int>("sendBuffer", 0, 1 << 30);
  config.leave_out_late = fields.boolean("excludeLate");
  config.bailout = fields.integer<std::uint64_t>("bailout", 0, 9007199254740991);
  config.log_replies = fields.boolean("logReplies");
  if (fields.good() && config.target.port() + config.ports - 1 > 65'535) {
    fields.fail("ERR_OUT_OF_RANGE", "the last port would be above 65535");
  }
  if (fields.good() && config.workers > config.sockets) {
    fields.fail("ERR_OUT_OF_RANGE", "connections must be at least workers: every worker needs a socket of its own");
  }
  return config;
}

/// datagramStart(configuration) -> handle; the fields are those of NativeConfig in src/dgram-benchmark/native-engine.ts
Napi::Value datagram_start(const Napi::CallbackInfo& info) {
  Fields fields(info);
  DatagramConfig config = config_fields(fields);
  if (!fields.good()) return info.Env().Undefined();
  auto engine = std::make_unique<DatagramEngine>(std::move(config));
  std::string what;
  if (const int error = engine->start(what); error != 0) {
    throw_errno(info.Env(), error, what);
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), engines_of(info).put(std::move(engine)));
}

/// A count or nanoseconds; beyond 2^53 the last bits are lost, as in all of JavaScript.
void set(Napi::Object to, const char* name, std::integral auto value) { define(to, name, static_cast<double>(value)); }

/// datagramState(handle) -> {phase, startedNs, sent, received, bytesIn, wrong}
Napi::Value datagram_state(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  DatagramEngine* engine = engine_argument(info);
  if (engine == nullptr) return env.Undefined();
  static constexpr const char* kPhases[] = {"preparing", "sending", "draining", "done"};
  const load::DatagramProgress progress = engine->progress();
  Napi::Object to = Napi::Object::New(env);
  define(to, "phase", kPhases[static_cast<std::size_t>(engine->phase())]);
  set(to, "startedNs", engine->started());
  set(to, "sent", progress.sent);
  set(to, "received", progress.received);
  set(to, "bytesIn", progress.bytes_in);
  set(to, "wrong", progress.wrong);
  return to;
}

/// One object for each item, filled by `fill(object, item)`.
template <class Item>
Napi::Array object_rows(Napi::Env env, const std::vector<Item>& items, void (*fill)(Napi::Object, const Item&)) {
  Napi::Array rows = Napi::Array::New(env, items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    Napi::Object row = Napi::Object::New(env);
    fill(row, items[i]);
    define(rows, i, row);
  }
  return rows;
}

void fill_interval(Napi::Object row, const load::DatagramInterval& interval) {
  set(row, "sent", interval.sent);
  set(row, "received", interval.received);
  set(row, "bytesIn", interval.bytes_in);
  define(row, "meanNs", interval.mean);
  set(row, "p50Ns", interval.p50);
  set(row, "p99Ns", interval.p99);
  set(row, "maxNs", interval.max);
}

/// datagramIntervals(handle, first) -> complete intervals from that index on
Napi::Value datagram_intervals(const Napi::CallbackInfo& info) {
  std::int64_t first = 0;
  DatagramEngine* engine = engine_argument(info);
  if (engine == nullptr || !int_argument(info, 1, "first", 0, 1e9, first)) return info.Env().Undefined();
  return object_rows(info.Env(), engine->intervals(static_cast<std::size_t>(first)), fill_interval);
}

/// datagramReplies(handle) -> Float64Array of (flow, latency in ns) pairs since the last call
Napi::Value datagram_replies(const Napi::CallbackInfo& info) {
  DatagramEngine* engine = engine_argument(info);
  if (engine == nullptr) return info.Env().Undefined();
  const std::vector<load::DatagramReply> replies = engine->take_replies();
  Napi::Float64Array pairs = Napi::Float64Array::New(info.Env(), replies.size() * 2);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    pairs[2 * i] = replies[i].flow;
    pairs[2 * i + 1] = static_cast<double>(replies[i].latency);
  }
  return pairs;
}

/// datagramStop(handle): no more is sent; the drain still follows
Napi::Value datagram_stop(const Napi::CallbackInfo& info) {
  if (DatagramEngine* engine = engine_argument(info)) engine->stop();
  return info.Env().Undefined();
}

Napi::Object counts_object(Napi::Env env, const load::DatagramOutcome& outcome) {
  const load::DatagramCounts& counts = outcome.counts;
  Napi::Object to = Napi::Object::New(env);
  set(to, "sent", counts.sent);
  set(to, "received", counts.received);
  set(to, "late", counts.late);
  set(to, "reordered", counts.reordered);
  set(to, "duplicates", counts.duplicates);
  set(to, "unattributable", counts.unattributable);
  set(to, "corrupted", counts.corrupted);
  set(to, "truncated", counts.truncated);
  set(to, "unreachable", counts.unreachable);
  set(to, "foreign", counts.foreign);
  set(to, "sendErrors", outcome.send_errors);
  set(to, "sendStalls", outcome.send_stalls);
  set(to, "timeouts", outcome.timeouts);
  return to;
}

void fill_flow(Napi::Object row, const load::FlowSummary& flow) {
  define(row, "port", flow.port);
  set(row, "sent", flow.sent);
  set(row, "received", flow.received);
  define(row, "latencySumNs", flow.latency_sum_ns);
  set(row, "latencyMaxNs", flow.latency_max);
  define(row, "jitterNs", flow.jitter_ns);
}

/// datagramOutcome(handle) -> EngineOutcome of src/dgram-benchmark/engine.ts; an error unless the phase is `done`
Napi::Value datagram_outcome(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  DatagramEngine* engine = engine_argument(info);
  if (engine == nullptr) return env.Undefined();
  if (engine->phase() != DatagramPhase::done) {
    throw_coded(env, "ERR_NOT_FINISHED", "the benchmark has not come to its end");
    return env.Undefined();
  }
  const load::DatagramOutcome outcome = engine->outcome();
  if (outcome.error != 0) {
    throw_errno(env, outcome.error, outcome.failed);
    return env.Undefined();
  }
  Napi::Object to = Napi::Object::New(env);
  define(to, "counts", counts_object(env, outcome));
  set(to, "offered", outcome.offered);
  set(to, "bytesOut", outcome.bytes_out);
  set(to, "bytesIn", outcome.bytes_in);
  set(to, "sendCalls", outcome.send_calls);
  set(to, "receiveCalls", outcome.receive_calls);
  set(to, "sendingNs", outcome.sending_ended - outcome.started);
  set(to, "totalNs", outcome.finished - outcome.started);
  set(to, "cpuNs", outcome.cpu);
  set(to, "spinNs", outcome.spin);
  define(to, "busiestShare", outcome.busiest_share);
  set(to, "pacerP50Ns", outcome.pacer.p50);
  set(to, "pacerP99Ns", outcome.pacer.p99);
  define(to, "clientDrops", outcome.client_drops < 0
                            ? env.Null()
                            : Napi::Number::New(env, static_cast<double>(outcome.client_drops)).As<Napi::Value>());
  define(to, "poller", outcome.poller);
  define(to, "latency", histogram_object(env, outcome.latency));
  define(to, "uncorrected", histogram_object(env, outcome.uncorrected));
  define(to, "sendLag", histogram_object(env, outcome.lag));
  define(to, "series", object_rows(env, outcome.series, fill_interval));
  define(to, "flows", object_rows(env, outcome.flows, fill_flow));
  return to;
}

/// datagramFree(handle): ends the threads without a drain and frees the handle. Freeing twice is no error.
Napi::Value datagram_free(const Napi::CallbackInfo& info) {
  return free_argument(info, engines_of(info));
}

}  // namespace

void export_datagram(Napi::Env env, Napi::Object exports) {
  auto& engines = make_state<Engines>(env);
  export_functions(env, exports, &engines,
                   {{"datagramStart", datagram_start},
                    {"datagramState", datagram_state},
                    {"datagramIntervals", datagram_intervals},
                    {"datagramReplies", datagram_replies},
                    {"datagramStop", datagram_stop},
                    {"datagramOutcome", datagram_outcome},
                    {"datagramFree", datagram_free}});
}

}  // namespace addon
