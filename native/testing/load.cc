// Parts of the load engine for tests that need no sockets: histogram, schedule, HTTP replies.
#include "testing/load.h"

#include "load/exchange.h"
#include "load/histogram.h"
#include "load/pacer.h"

namespace testing {
namespace {

Napi::Float64Array to_array(Napi::Env env, const std::vector<double>& values) {
  Napi::Float64Array array = Napi::Float64Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

/// recordValues(a: Float64Array, b: Float64Array) -> {values, counts} of the two histograms merged
Napi::Value record_values(const Napi::CallbackInfo& info) {
  load::Histogram merged;
  for (std::size_t argument = 0; argument < 2; ++argument) {
    load::Histogram part;
    const Napi::Float64Array values = info[argument].As<Napi::Float64Array>();
    for (std::size_t i = 0; i < values.ElementLength(); ++i) part.record(static_cast<std::int64_t>(values[i]));
    merged.merge(part);
  }
  std::vector<double> values, counts;
  for (std::size_t cell = 0; cell < merged.counts().size(); ++cell) {
    if (merged.counts()[cell] == 0) continue;
    values.push_back(static_cast<double>(load::Histogram::lowest_value(cell)));
    counts.push_back(static_cast<double>(merged.counts()[cell]));
  }
  Napi::Object to = Napi::Object::New(info.Env());
  to.Set("values", to_array(info.Env(), values));
  to.Set("counts", to_array(info.Env(), counts));
  return to;
}

/// dueTimes(exponential, rate, seed, count) -> the first intended times of a schedule that starts at 0, nanoseconds
Napi::Value due_times(const Napi::CallbackInfo& info) {
  const auto arrival = info[0].As<Napi::Boolean>().Value() ? load::Arrival::exponential : load::Arrival::fixed;
  const std::int64_t seed = info[2].As<Napi::Number>().Int64Value();
  load::Schedule schedule(arrival, info[1].As<Napi::Number>().DoubleValue(), 0, static_cast<std::uint64_t>(seed));
  std::vector<double> times(info[3].As<Napi::Number>().Uint32Value());
  for (double& time : times) {
    time = static_cast<double>(schedule.due());
    schedule.advance();
  }
  return to_array(info.Env(), times);
}

/// readReplies(chunks: Uint8Array[], ended: boolean) -> verdicts of the HTTP replies in them, as one connection reads
Napi::Value read_replies(const Napi::CallbackInfo& info) {
  static constexpr const char* kVerdicts[] = {"incomplete", "good", "mismatch", "status", "broken"};
  const auto exchange = load::make_http_exchange(1, "host", "/", false);
  Napi::Array verdicts = Napi::Array::New(info.Env());
  const auto tell = [&](load::Verdict verdict) {
    verdicts.Set(verdicts.Length(), kVerdicts[static_cast<std::size_t>(verdict)]);
  };
  const Napi::Array chunks = info[0].As<Napi::Array>();
  bool open = true;
  for (std::uint32_t i = 0; open && i < chunks.Length(); ++i) {
    const Napi::Uint8Array chunk = chunks.Get(i).As<Napi::Uint8Array>();
    load::Bytes bytes(reinterpret_cast<const std::byte*>(chunk.Data()), chunk.ByteLength());
    while (open && !bytes.empty()) {
      const load::Reading reading = exchange->read_reply(0, bytes);
      bytes = bytes.subspan(reading.used);
      if (reading.verdict != load::Verdict::incomplete) tell(reading.verdict);
      open = !reading.last;
    }
  }
  if (open && info[1].As<Napi::Boolean>().Value()) tell(exchange->finish(0).verdict);
  return verdicts;
}

}  // namespace

void export_load(Napi::Env env, Napi::Object exports) {
  exports.Set("recordValues", Napi::Function::New(env, record_values));
  exports.Set("dueTimes", Napi::Function::New(env, due_times));
  exports.Set("readReplies", Napi::Function::New(env, read_replies));
}

}  // namespace testing
