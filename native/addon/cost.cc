// The cost area: rounds of the mode `unread` whose waits are JavaScript's, on a poller of its own. Options, pairs, the clock
// around all rounds and the line are those of the native program (native/cost); servers/cost.ts is the program.
#include <cerrno>
#include <optional>

#include "addon/environment.h"
#include "addon/poller.h"
#include "cost/measure.h"
#include "cost/report.h"
#include "cost/run.h"
#include "cost/unread.h"

namespace addon {
namespace {

constexpr std::string_view kImpls[] = {"ts"};

struct CostArea {
  const PollerArea& pollers;
  cost::Options options{};
  servers::Control control{};
  std::optional<cost::Pairs> pairs{};
};

/// What Measure asks of a way to wait: here it is the poller that JavaScript waits with.
struct ScriptWaiter {
  const dispatch::Poller& poller;

  cost::Effort effort() const {
    const dispatch::Counters& counters = poller.counters();
    return {counters.waits, counters.change_calls, counters};
  }
};

struct ScriptRounds {
  Napi::Function script;
  const PollerArea& pollers;
  std::uint32_t handle;
  const dispatch::Poller& poller;

  /// Nanoseconds by the script's own clock readings; -ECANCELED when it has thrown, or closed its poller.
  process::Nanoseconds round() {
    const Napi::HandleScope scope(script.Env());
    const Napi::Value took = script.Call(std::size_t{0}, nullptr);
    const PollerFace* face = script.Env().IsExceptionPending() ? nullptr : pollers.pollers.get(handle);
    const bool stands = face != nullptr && face->poller.get() == &poller;
    if (!stands || !took.IsNumber()) return -ECANCELED;
    return took.As<Napi::Number>().Int64Value();
  }
  std::uint64_t events() const noexcept { return poller.counters().events; }
};

std::string open_pairs(CostArea& area, std::span<char* const> words) {
  if (area.pairs.has_value()) return "one measurement to a process";
  std::string fault = cost::prepare(words, kImpls, area.options, area.control, area.pairs.emplace());
  if (fault.empty() && area.options.mode != cost::Mode::unread) {
    fault = "--impl ts has the mode unread alone, which shows what crossing costs";
  }
  if (!fault.empty()) area.pairs.reset();
  return fault;
}

/// costOpen(arguments) -> {backend, maxEvents, rows, readers}: rows that a round waits for, descriptors by pair
Napi::Value open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto& area = *static_cast<CostArea*>(info.Data());
  if (info.Length() < 1 || !info[0].IsArray()) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "arguments must be an array of strings");
    return env.Undefined();
  }
  const Words words(info[0].As<Napi::Array>());
  if (env.IsExceptionPending()) return env.Undefined();
  if (const std::string fault = open_pairs(area, words.span()); !fault.empty()) {
    throw_coded(env, "ERR_COST", fault);
    return env.Undefined();
  }
  Napi::Int32Array readers = Napi::Int32Array::New(env, area.pairs->size());
  for (std::uint32_t pair = 0; pair < area.pairs->size(); ++pair) readers.Data()[pair] = area.pairs->reader(pair);
  Napi::Object object = Napi::Object::New(env);
  define(object, "backend", area.options.backend);
  define(object, "maxEvents", area.options.max_events);
  define(object, "rows", static_cast<double>(cost::kRowsOfEach * area.options.active));
  define(object, "readers", readers);
  return object;
}

/// costMeasure(poller, round, program, version) -> the line. `round` waits until the rows are there and returns its time;
/// program: the file to digest; version: of Node
Napi::Value measure(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto& area = *static_cast<CostArea*>(info.Data());
  std::int64_t handle = 0;
  if (!int_argument(info, 0, "poller", 0, 0xffffffff, handle)) return env.Undefined();
  if (info.Length() < 4 || !info[1].IsFunction() || !info[2].IsString() || !info[3].IsString()) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "costMeasure takes a poller, a function and two strings");
    return env.Undefined();
  }
  const PollerFace* face = area.pollers.use(env, static_cast<std::uint32_t>(handle));
  if (face == nullptr) return env.Undefined();
  dispatch::Poller& poller = *face->poller;
  poller.look_first(area.options.look_first);
  const std::string program = info[2].As<Napi::String>().Utf8Value();
  const bool repeats = poller.capabilities().trigger != dispatch::Trigger::edge;
  std::string fault = area.pairs.has_value() ? cost::leave_unread(*area.pairs, area.options, repeats)
                                             : "costOpen comes before costMeasure";
  cost::Measurement measurement;
  if (fault.empty()) {
    const ScriptWaiter waiter{poller};
    ScriptRounds rounds{info[1].As<Napi::Function>(), area.pollers, static_cast<std::uint32_t>(handle), poller};
    fault = cost::Measure(waiter, rounds, area.control).run(area.options, measurement);
  }
  if (!fault.empty()) {
    throw_coded(env, "ERR_COST", fault);
    return env.Undefined();
  }
  const cost::Facts facts{.capabilities = &poller.capabilities(),
                          .library = "node",
                          .library_version = info[3].As<Napi::String>().Utf8Value(),
                          .program = program.c_str()};
  return Napi::String::New(env, cost::cost_line(area.options, measurement, facts));
}

}  // namespace

void export_cost(Napi::Env env, Napi::Object exports, const PollerArea& pollers) {
  auto& area = make_state<CostArea>(env, pollers);
  export_functions(env, exports, &area, {{"costOpen", open}, {"costMeasure", measure}});
}

}  // namespace addon
