// One direction of an emulated link over virtual time, for tests that need no devices and no privileges.
#include "testing/links.h"

#include "links/line.h"

namespace testing {
namespace {

constexpr double kLost = -1;
constexpr double kOverflowed = -2;

links::Shape shape_of(const Napi::Object& asked) {
  const auto number = [&asked](const char* name) { return asked.Get(name).As<Napi::Number>().Int64Value(); };
  return {.delay = number("delayNs"),
          .loss_ppb = static_cast<std::uint64_t>(number("lossPpb")),
          .bits_per_second = static_cast<std::uint64_t>(number("bitsPerSecond")),
          .limit = static_cast<std::uint64_t>(number("limit"))};
}

/// carry({delayNs, lossPpb, bitsPerSecond, limit}, seed, times: Float64Array, sizes: Float64Array, lateNs[, changed, from])
/// -> {left: Float64Array, counts}: packets that come in at these times, in their order, and when each left (-1 lost, -2
/// overflowed), where whoever looks after the line is always `lateNs` late, and from the packet `from` on it has another shape.
Napi::Value carry(const Napi::CallbackInfo& info) {
  links::Line line(shape_of(info[0].As<Napi::Object>()), static_cast<std::uint64_t>(info[1].As<Napi::Number>().Int64Value()));
  const Napi::Float64Array times = info[2].As<Napi::Float64Array>();
  const Napi::Float64Array sizes = info[3].As<Napi::Float64Array>();
  const links::Nanoseconds late = info[4].As<Napi::Number>().Int64Value();
  Napi::Float64Array left = Napi::Float64Array::New(info.Env(), times.ElementLength());
  const auto release_until = [&](double now) {
    while (!line.empty() && static_cast<double>(line.due() + late) <= now) {
      left[line.slot()] = static_cast<double>(line.due() + late);
      line.release(line.due() + late);
    }
  };
  const std::size_t changes = info.Length() > 6 ? info[6].As<Napi::Number>().Uint32Value() : times.ElementLength();
  for (std::size_t i = 0; i < times.ElementLength(); ++i) {
    if (i == changes) line.change(shape_of(info[5].As<Napi::Object>()));
    release_until(times[i]);
    const links::Fate fate =
        line.take(static_cast<links::Nanoseconds>(times[i]), static_cast<std::uint32_t>(sizes[i]),
                  static_cast<links::Line::Slot>(i));
    if (fate != links::Fate::held) left[i] = fate == links::Fate::lost ? kLost : kOverflowed;
  }
  release_until(1e300);
  const links::Totals& totals = line.totals();
  Napi::Object result = Napi::Object::New(info.Env());
  const auto tell = [&result](const char* name, auto value) { result.Set(name, static_cast<double>(value)); };
  tell("packets", totals.packets);
  tell("bytes", totals.bytes);
  tell("lost", totals.lost);
  tell("overflowed", totals.overflowed);
  tell("passed", totals.passed);
  tell("passedBytes", totals.passed_bytes);
  tell("meanLatenessNs", line.mean_lateness());
  result.Set("left", left);
  return result;
}

}  // namespace

void export_links(Napi::Env env, Napi::Object exports) { exports.Set("carry", Napi::Function::New(env, carry)); }

}  // namespace testing
