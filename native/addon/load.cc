// The load area: starts load engines and idle holders on threads of their own, tells how far they are and hands over
// their results. No call here blocks for longer than a thread needs to hear that it shall stop (20 ms).
#include "addon/load.h"

#include "addon/fields.h"
#include "load/engine.h"
#include "load/idle_holder.h"

namespace addon {
namespace {

struct LoadArea {
  Handles<load::Engine> engines;
  Handles<load::IdleHolder> holders;
};

LoadArea& area_of(const Napi::CallbackInfo& info) { return *static_cast<LoadArea*>(info.Data()); }

load::DialPlan dial_fields(Fields& fields) {
  load::DialPlan plan;
  plan.target = fields.address("host", "port");
  plan.sources = fields.addresses("sources");
  plan.connections = fields.integer<std::uint32_t>("connections", 1, 1 << 20);
  plan.timeout = fields.integer<load::Nanoseconds>("connectTimeoutNs", 1e6, 3.6e12);
  return plan;
}

/// loadStart(configuration) -> handle; the fields are those of LoadPlan in src/load/engine.ts
Napi::Value load_start(const Napi::CallbackInfo& info) {
  Fields fields(info);
  load::LoadPlan plan;
  plan.backend = backend_field(fields);
  plan.dial = dial_fields(fields);
  plan.http = fields.boolean("http");
  plan.size = fields.integer<std::size_t>("size", 1, 1 << 20);
  plan.host = fields.text("hostHeader");
  plan.path = fields.text("path");
  plan.any_body = fields.boolean("anyBody");
  plan.rate = fields.number("rate", 0, 1e8);
  plan.arrival = fields.boolean("exponential") ? load::Arrival::exponential : load::Arrival::fixed;
  plan.seed = fields.integer<std::uint64_t>("seed", 0, 9007199254740991);
  plan.pipelining = fields.integer<std::uint32_t>("pipelining", 1, 1024);
  plan.warmup = fields.integer<load::Nanoseconds>("warmupNs", 0, 3.6e12);
  plan.window = fields.integer<load::Nanoseconds>("windowNs", 1e6, 8.64e13);
  plan.timeout = fields.integer<load::Nanoseconds>("timeoutNs", 1e6, 3.6e12);
  if (!fields.good()) return info.Env().Undefined();
  return launch(info, area_of(info).engines, std::make_unique<load::Engine>(std::move(plan)));
}

/// loadBegin(handle): a connected engine starts to send
Napi::Value load_begin(const Napi::CallbackInfo& info) {
  if (load::Engine* engine = worker_argument(info, area_of(info).engines)) engine->begin();
  return info.Env().Undefined();
}

/// loadEnd(handle): an engine whose window is over may close its connections
Napi::Value load_end(const Napi::CallbackInfo& info) {
  if (load::Engine* engine = worker_argument(info, area_of(info).engines)) engine->end();
  return info.Env().Undefined();
}

/// loadState(handle) -> {phase, standing, replies, errors, windowStartNs, windowEndNs, errno}
Napi::Value load_state(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  load::Engine* engine = worker_argument(info, area_of(info).engines);
  if (engine == nullptr) return env.Undefined();
  static constexpr const char* kPhases[] = {"connecting", "connected", "running", "draining", "done", "failed"};
  const load::Engine::Progress& progress = engine->progress();
  load::LoadPhase phase = progress.phase.load(std::memory_order_acquire);
  // The last two are told when the thread has ended, so that its result can be read without waiting.
  if (phase >= load::LoadPhase::done && !engine->finished()) phase = load::LoadPhase::draining;
  Napi::Object to = Napi::Object::New(env);
  define(to, "phase", kPhases[static_cast<std::size_t>(phase)]);
  define(to, "standing", progress.standing.load(std::memory_order_relaxed));
  define(to, "replies", static_cast<double>(progress.replies.load(std::memory_order_relaxed)));
  define(to, "errors", static_cast<double>(progress.errors.load(std::memory_order_relaxed)));
  define(to, "windowStartNs", static_cast<double>(progress.window_start.load(std::memory_order_relaxed)));
  define(to, "windowEndNs", static_cast<double>(progress.window_end.load(std::memory_order_relaxed)));
  const bool failed = phase == load::LoadPhase::failed;
  define(to, "errno", failed ? Napi::String::New(env, errno_name(engine->error())) : env.Null());
  return to;
}

/// Mean send lag of one half of the window, nanoseconds; 0 when nothing was sent in it.
double mean_lag(const load::Tally& tally, int half) {
  return tally.lag_count[half] == 0 ? 0 : tally.lag_sum[half] / static_cast<double>(tally.lag_count[half]);
}

/// loadResult(handle) -> RawResult of src/load/engine.ts; an error unless the phase is `done`
Napi::Value load_result(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  load::Engine* engine = worker_argument(info, area_of(info).engines);
  if (engine == nullptr) return env.Undefined();
  if (!engine->finished() || engine->progress().phase.load(std::memory_order_acquire) != load::LoadPhase::done) {
    throw_coded(env, "ERR_NOT_FINISHED", "the load has not come to its end");
    return env.Undefined();
  }
  const load::Tally& tally = engine->tally();
  const load::Meter &start = tally.at_start, &end = tally.at_end;
  Napi::Object errors = Napi::Object::New(env);
  for (std::size_t kind = 0; kind < tally.errors.size(); ++kind) {
    define(errors, load::kErrorNames[kind], static_cast<double>(tally.errors[kind]));
  }
  Napi::Object to = Napi::Object::New(env);
  define(to, "requests", static_cast<double>(tally.requests));
  define(to, "replies", static_cast<double>(tally.replies));
  define(to, "reconnects", static_cast<double>(tally.reconnects));
  define(to, "backlogged", static_cast<double>(tally.backlogged));
  define(to, "errors", errors);
  define(to, "cpuNs", static_cast<double>(end.cpu - start.cpu));
  define(to, "spinNs", static_cast<double>(end.spin - start.spin));
  define(to, "bytesIn", static_cast<double>(end.bytes_in - start.bytes_in));
  define(to, "bytesOut", static_cast<double>(end.bytes_out - start.bytes_out));
  define(to, "connectNs", static_cast<double>(engine->connect_time()));
  define(to, "resolutionP50Ns", static_cast<double>(engine->resolution().p50));
  define(to, "resolutionP99Ns", static_cast<double>(engine->resolution().p99));
  define(to, "meanLagFirstHalfNs", mean_lag(tally, 0));
  define(to, "meanLagSecondHalfNs", mean_lag(tally, 1));
  define(to, "latency", histogram_object(env, tally.latency));
  define(to, "uncorrected", histogram_object(env, engine->plan().rate > 0 ? tally.uncorrected : tally.latency));
  define(to, "sendLag", histogram_object(env, tally.send_lag));
  define(to, "connect", histogram_object(env, tally.connect));
  return to;
}

/// loadStop(handle): ends the thread, closes its connections, frees the handle. Stopping twice is no error.
Napi::Value load_stop(const Napi::CallbackInfo& info) {
  return free_argument(info, area_of(info).engines);
}

/// idleStart({backend, host, port, sources, connections, connectTimeoutNs}) -> handle
Napi::Value idle_start(const Napi::CallbackInfo& info) {
  Fields fields(info);
  load::IdlePlan plan;
  plan.backend = backend_field(fields);
  plan.dial = dial_fields(fields);
  plan.dial.abortive = true;  // thousands of ports in TIME_WAIT would starve the next trial
  if (!fields.good()) return info.Env().Undefined();
  return launch(info, area_of(info).holders, std::make_unique<load::IdleHolder>(std::move(plan)));
}

/// idleState(handle) -> {phase, standing, reconnects, unexpectedBytes, failures, elapsedNs, errno}
Napi::Value idle_state(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  load::IdleHolder* holder = worker_argument(info, area_of(info).holders);
  if (holder == nullptr) return env.Undefined();
  static constexpr const char* kPhases[] = {"connecting", "standing", "failed"};
  const load::IdleHolder::Progress& progress = holder->progress();
  const load::IdlePhase phase = progress.phase.load(std::memory_order_acquire);
  Napi::Object failures = Napi::Object::New(env);
  for (std::size_t kind = 0; kind < progress.failures.size(); ++kind) {
    const std::uint64_t count = progress.failures[kind].load(std::memory_order_relaxed);
    if (count > 0) define(failures, load::kErrorNames[kind], static_cast<double>(count));
  }
  Napi::Object to = Napi::Object::New(env);
  define(to, "phase", kPhases[static_cast<std::size_t>(phase)]);
  define(to, "standing", progress.standing.load(std::memory_order_relaxed));
  define(to, "reconnects", static_cast<double>(progress.reconnects.load(std::memory_order_relaxed)));
  define(to, "unexpectedBytes", static_cast<double>(progress.unexpected_bytes.load(std::memory_order_relaxed)));
  define(to, "failures", failures);
  define(to, "elapsedNs", static_cast<double>(progress.elapsed.load(std::memory_order_relaxed)));
  const int error = progress.error.load(std::memory_order_relaxed);
  define(to, "errno", error != 0 ? Napi::String::New(env, errno_name(error)) : env.Null());
  return to;
}

/// idleStop(handle): closes all connections and frees the handle
Napi::Value idle_stop(const Napi::CallbackInfo& info) {
  return free_argument(info, area_of(info).holders);
}

}  // namespace

std::string backend_field(Fields& fields) {
  const std::string name = fields.text("backend");
  const dispatch::BackendEntry* entry = dispatch::find_backend(name);
  if (fields.good() && entry == nullptr) fields.fail("ERR_UNKNOWN_BACKEND", "there is no backend '" + name + "'");
  if (fields.good() && entry->make == nullptr) {
    fields.fail("ERR_BACKEND_UNAVAILABLE", "backend '" + name + "': " + entry->absent_because);
  }
  return name;
}

Napi::Object histogram_object(Napi::Env env, const load::Histogram& histogram) {
  const std::vector<std::uint64_t>& counts = histogram.counts();
  const auto used = static_cast<std::size_t>(std::count_if(counts.begin(), counts.end(), [](auto n) { return n > 0; }));
  Napi::Float64Array values = Napi::Float64Array::New(env, used);
  Napi::Float64Array numbers = Napi::Float64Array::New(env, used);
  std::size_t row = 0;
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    if (counts[cell] == 0) continue;
    values[row] = static_cast<double>(load::Histogram::lowest_value(cell));
    numbers[row++] = static_cast<double>(counts[cell]);
  }
  Napi::Object to = Napi::Object::New(env);
  define(to, "values", values);
  define(to, "counts", numbers);
  return to;
}

void export_load(Napi::Env env, Napi::Object exports) {
  auto& area = make_state<LoadArea>(env);
  export_functions(env, exports, &area,
                   {{"loadStart", load_start},
                    {"loadBegin", load_begin},
                    {"loadEnd", load_end},
                    {"loadState", load_state},
                    {"loadResult", load_result},
                    {"loadStop", load_stop},
                    {"idleStart", idle_start},
                    {"idleState", idle_state},
                    {"idleStop", idle_stop}});
}

}  // namespace addon
