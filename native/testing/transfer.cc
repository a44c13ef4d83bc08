// The choice of a number of streams over virtual time, for tests that need no link.
#include "testing/transfer.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "transfer/adaptive.h"

namespace testing {
namespace {

/// What a link carries changes from moment to moment: each has a share of its own, and all of one second lean the same way.
class Noise {
 public:
  Noise(double deviation, std::uint32_t seed) noexcept : deviation_(deviation), random_(seed) {}

  /// A factor around 1.
  double draw(double seconds) noexcept {
    const double kept = std::exp(-seconds);
    leaning_ = kept * leaning_ + std::sqrt(1 - kept * kept) * normal();
    return std::max(0.0, 1 + deviation_ * (normal() + leaning_ / 2));
  }

 private:
  /// Twelve even ones together are near normal, and the same everywhere, as those of the library need not be.
  double normal() noexcept {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random_()) / static_cast<double>(std::mt19937::max());
    return sum;
  }

  double deviation_;
  double leaning_ = 0;
  std::mt19937 random_;
};

/// adapt({roundTripNs, most, untilNs, changeNs, lagNs, noise, seed}, before: Float64Array, after: Float64Array)
/// -> {link, turns: Float64Array, arrived, best}: what arrives in a second by the number of streams, before and after the link
/// changes; how long another number takes to find its pace; how far 10 ms are from each other. Of the turns time and streams one
/// after the other; the bytes that arrived, and those of the number that was best in hindsight, which had to find its pace once.
Napi::Value adapt(const Napi::CallbackInfo& info) {
  const Napi::Object asked = info[0].As<Napi::Object>();
  const auto number = [&asked](const char* name) { return asked.Get(name).As<Napi::Number>().DoubleValue(); };
  const Napi::Float64Array before = info[1].As<Napi::Float64Array>();
  const Napi::Float64Array after = info[2].As<Napi::Float64Array>();
  const auto until = static_cast<process::Nanoseconds>(number("untilNs"));
  const auto change = static_cast<process::Nanoseconds>(number("changeNs"));
  const double lag = std::max(number("lagNs"), 1.0);
  Noise noise(number("noise"), static_cast<std::uint32_t>(number("seed")));
  transfer::Adaptive adaptive(static_cast<std::uint32_t>(number("most")));
  adaptive.begin(0, static_cast<process::Nanoseconds>(number("roundTripNs")));
  double arrived = 0;
  double rate = 0;
  std::vector<double> fixed(before.ElementLength());
  constexpr process::Nanoseconds kStep = 10 * process::kMillisecond;
  for (process::Nanoseconds now = 0; now < until; now += kStep) {
    const Napi::Float64Array& rates = now < change ? before : after;
    const double seconds = static_cast<double>(kStep) / 1e9;
    const double now_worth = noise.draw(seconds) * seconds;
    const double wanted = rates[adaptive.streams()];
    rate = wanted + (rate - wanted) * std::exp(-static_cast<double>(kStep) / lag);
    const double paced = 1 - std::exp(-static_cast<double>(now + kStep) / lag);
    arrived += rate * now_worth;
    for (std::size_t n = 1; n < fixed.size(); ++n) fixed[n] += rates[n] * paced * now_worth;
    if (now + kStep >= adaptive.due()) adaptive.look(now + kStep, static_cast<std::uint64_t>(arrived));
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
  result.Set("arrived", arrived);
  result.Set("best", *std::max_element(fixed.begin(), fixed.end()));
  return result;
}

}  // namespace

void export_transfer(Napi::Env env, Napi::Object exports) { exports.Set("adapt", Napi::Function::New(env, adapt)); }

}  // namespace testing
