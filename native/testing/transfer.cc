// The choice of a number of streams over virtual time, for tests that need no link.
#include "testing/transfer.h"

#include <vector>

#include "transfer/adaptive.h"

namespace testing {
namespace {

/// adapt({roundTripNs, most, untilNs, changeNs}, before: Float64Array, after: Float64Array)
/// -> {link, turns: Float64Array}: what arrives in a second by the number of streams, before and after the link changes; of the
/// turns time and streams one after the other.
Napi::Value adapt(const Napi::CallbackInfo& info) {
  const Napi::Object asked = info[0].As<Napi::Object>();
  const auto number = [&asked](const char* name) { return asked.Get(name).As<Napi::Number>().Int64Value(); };
  const Napi::Float64Array before = info[1].As<Napi::Float64Array>();
  const Napi::Float64Array after = info[2].As<Napi::Float64Array>();
  transfer::Adaptive adaptive(static_cast<std::uint32_t>(number("most")));
  process::Nanoseconds now = 0;
  double arrived = 0;
  adaptive.begin(now, number("roundTripNs"));
  while (adaptive.due() < number("untilNs")) {
    const Napi::Float64Array& rates = now < number("changeNs") ? before : after;
    arrived += rates[adaptive.streams()] * static_cast<double>(adaptive.due() - now) / 1e9;
    now = adaptive.due();
    adaptive.look(now, static_cast<std::uint64_t>(arrived));
  }
  const auto& turns = adaptive.turns();
  Napi::Float64Array told = Napi::Float64Array::New(info.Env(), 2 * turns.size());
  for (std::size_t i = 0; i < turns.size(); ++i) {
    told[2 * i] = static_cast<double>(turns[i].at);
    told[2 * i + 1] = turns[i].streams;
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("link", transfer::name_of(adaptive.link()));
  result.Set("turns", told);
  return result;
}

}  // namespace

void export_transfer(Napi::Env env, Napi::Object exports) { exports.Set("adapt", Napi::Function::New(env, adapt)); }

}  // namespace testing
