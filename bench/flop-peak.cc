// Floating-point operations per second of one core, at least: independent chains of multiply-add in registers, as the compiler
// makes them for this processor. Prints operations per second, single and double precision.
#include <chrono>
#include <cstdio>

namespace {

constexpr int kLanes = 256;  // of chains side by side, so that neither width nor latency of the units is the limit

template <typename Number>
double peak() {
  alignas(64) Number values[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) values[lane] = static_cast<Number>(lane) / kLanes;
  double best = 0;
  for (int attempt = 0; attempt < 7; ++attempt) {
    constexpr int kRounds = 400000;
    const auto began = std::chrono::steady_clock::now();
    for (int block = 0; block < kLanes; block += 128) {
      Number chain[128];
      for (int lane = 0; lane < 128; ++lane) chain[lane] = values[block + lane];
      for (int round = 0; round < kRounds; ++round)
        for (int lane = 0; lane < 128; ++lane) chain[lane] = chain[lane] * Number(0.999) + Number(0.001);
      for (int lane = 0; lane < 128; ++lane) values[block + lane] = chain[lane];
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const double rate = 2.0 * kRounds * kLanes / took.count();
    if (rate > best) best = rate;
  }
  volatile Number sink = values[0];
  (void)sink;
  return best;
}

}  // namespace

int main() { std::printf("%.0f %.0f\n", peak<float>(), peak<double>()); }
