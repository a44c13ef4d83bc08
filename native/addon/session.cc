// The session area: starts session engines (one step of a ramp) on threads of their own and hands over their results.
#include "addon/load.h"
#include "load/session_engine.h"

namespace addon {
namespace {

struct SessionArea {
  Handles<load::SessionEngine> engines;
};

SessionArea& area_of(const Napi::CallbackInfo& info) { return *static_cast<SessionArea*>(info.Data()); }

/// An array of JavaScript numbers.
template <class Counts>
Napi::Array number_array(Napi::Env env, const Counts& counts) {
  Napi::Array array = Napi::Array::New(env, counts.size());
  std::uint32_t index = 0;
  for (const auto count : counts) define(array, index++, static_cast<double>(count));
  return array;
}

/// sessionStart(configuration) -> handle; the fields are those of SessionConfig in src/ramp/session.ts
Napi::Value session_start(const Napi::CallbackInfo& info) {
  Fields fields(info);
  load::SessionPlan plan;
  plan.backend = backend_field(fields);
  plan.target = fields.address("host", "port");
  plan.host = fields.text("hostHeader");
  plan.path = fields.text("path");
  plan.rate = fields.number("rate", 1e-3, 1e7);
  plan.arrival = fields.boolean("exponential") ? load::Arrival::exponential : load::Arrival::fixed;
  plan.seed = fields.integer<std::uint64_t>("seed", 0, 9007199254740991);
  plan.offset = fields.integer<load::Nanoseconds>("offsetNs", 0, 3.6e12);
  plan.connections = fields.integer<std::uint64_t>("connections", 1, 1e9);
  plan.calls = fields.integer<std::uint32_t>("calls", 1, 1e9);
  plan.timeout = fields.integer<load::Nanoseconds>("timeoutNs", 1e6, 3.6e12);
  plan.sample = fields.integer<load::Nanoseconds>("sampleNs", 1e6, 3.6e12);
  plan.concurrent = fields.integer<std::uint32_t>("concurrent", 1, 1 << 20);
  if (!fields.good()) return info.Env().Undefined();
  return launch(info, area_of(info).engines, std::make_unique<load::SessionEngine>(std::move(plan)));
}

/// sessionBegin(handle, monotonicNs): a ready engine starts its first connection at this instant
Napi::Value session_begin(const Napi::CallbackInfo& info) {
  load::SessionEngine* engine = worker_argument(info, area_of(info).engines);
  std::int64_t at = 0;
  if (engine != nullptr && int_argument(info, 1, "start", 1, 9007199254740991, at)) engine->begin(at);
  return info.Env().Undefined();
}

/// sessionState(handle) -> {phase, errno}
Napi::Value session_state(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  load::SessionEngine* engine = worker_argument(info, area_of(info).engines);
  if (engine == nullptr) return env.Undefined();
  static constexpr const char* kPhases[] = {"preparing", "ready", "running", "done", "failed"};
  load::SessionPhase phase = engine->phase();
  // The last two are told when the thread has ended, so that its result can be read without waiting.
  if (phase >= load::SessionPhase::done && !engine->finished()) phase = load::SessionPhase::running;
  const bool failed = phase == load::SessionPhase::failed && engine->error() != 0;
  Napi::Object to = Napi::Object::New(env);
  define(to, "phase", kPhases[static_cast<std::size_t>(phase)]);
  define(to, "errno", failed ? Napi::String::New(env, errno_name(engine->error())) : env.Null());
  return to;
}

/// sessionResult(handle) -> RawSession of src/ramp/session.ts; an error unless the phase is `done`
Napi::Value session_result(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  load::SessionEngine* engine = worker_argument(info, area_of(info).engines);
  if (engine == nullptr) return env.Undefined();
  if (!engine->finished() || engine->phase() != load::SessionPhase::done) {
    throw_coded(env, "ERR_NOT_FINISHED", "the sessions have not come to their end");
    return env.Undefined();
  }
  const load::SessionTally& tally = engine->tally();
  Napi::Object failures = Napi::Object::New(env);
  for (std::size_t kind = 0; kind < tally.failures.size(); ++kind) {
    define(failures, load::kSessionFailureNames[kind], static_cast<double>(tally.failures[kind]));
  }
  Napi::Object to = Napi::Object::New(env);
  define(to, "dueAtNs", static_cast<double>(tally.due_at));
  define(to, "startedAtNs", static_cast<double>(tally.started_at));
  define(to, "endedAtNs", static_cast<double>(tally.ended_at));
  define(to, "connections", static_cast<double>(tally.connections));
  define(to, "requests", static_cast<double>(tally.requests));
  define(to, "replies", static_cast<double>(tally.replies));
  define(to, "bytesIn", static_cast<double>(tally.bytes_in));
  define(to, "bytesOut", static_cast<double>(tally.bytes_out));
  define(to, "mostOpen", static_cast<double>(tally.most_open));
  define(to, "cpuNs", static_cast<double>(tally.cpu));
  define(to, "spinNs", static_cast<double>(tally.spin));
  define(to, "status", number_array(env, tally.status));
  define(to, "samples", number_array(env, tally.samples));
  define(to, "failures", failures);
  define(to, "connect", histogram_object(env, tally.connect));
  define(to, "response", histogram_object(env, tally.response));
  define(to, "transfer", histogram_object(env, tally.transfer));
  define(to, "startLag", histogram_object(env, tally.start_lag));
  return to;
}

/// sessionStop(handle): ends the thread, closes its connections, frees the handle. Stopping twice is no error.
Napi::Value session_stop(const Napi::CallbackInfo& info) {
  return free_argument(info, area_of(info).engines);
}

}  // namespace

void export_session(Napi::Env env, Napi::Object exports) {
  auto& area = make_state<SessionArea>(env);
  export_functions(env, exports, &area,
                   {{"sessionStart", session_start},
                    {"sessionBegin", session_begin},
                    {"sessionState", session_state},
                    {"sessionResult", session_result},
                    {"sessionStop", session_stop}});
}

}  // namespace addon
