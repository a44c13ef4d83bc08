// The process area: facts and settings of the running process (native/process) for src/process.ts.
#include <signal.h>

#include "addon/environment.h"
#include "process/affinity.h"
#include "process/awake.h"
#include "process/calibration.h"
#include "process/clock.h"
#include "process/identity.h"
#include "process/signals.h"
#include "process/usage.h"

namespace addon {
namespace {

Napi::Array array_of(Napi::Env env, const std::vector<int>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) define(array, static_cast<std::uint32_t>(i), values[i]);
  return array;
}

/// The first argument as a list of CPU numbers; empty with a pending exception when it is none.
std::vector<int> cpus_argument(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<int> cpus;
  if (info.Length() < 1 || !info[0].IsArray() || info[0].As<Napi::Array>().Length() == 0) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "cpus must be an array with at least one CPU number");
    return {};
  }
  const Napi::Array list = info[0].As<Napi::Array>();
  for (std::uint32_t i = 0, length = list.Length(); i < length; ++i) {
    const Napi::Value value = list.Get(i);
    if (env.IsExceptionPending()) return {};
    const double cpu = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    if (!(cpu >= 0 && cpu < 1024)) {
      throw_coded(env, "ERR_OUT_OF_RANGE", "cpus must hold CPU numbers from 0 to 1023");
      return {};
    }
    cpus.push_back(static_cast<int>(cpu));
  }
  return cpus;
}

/// processSetAffinity(cpus: number[])
Napi::Value set_affinity(const Napi::CallbackInfo& info) {
  const std::vector<int> cpus = cpus_argument(info);
  if (cpus.empty()) return info.Env().Undefined();
  if (const int error = process::set_affinity(cpus)) throw_errno(info.Env(), error, "set the CPU affinity");
  return info.Env().Undefined();
}

/// processKeepAwake(cpus: number[])
Napi::Value keep_awake(const Napi::CallbackInfo& info) {
  const std::vector<int> cpus = cpus_argument(info);
  if (cpus.empty()) return info.Env().Undefined();
  if (const int error = process::keep_awake(cpus)) throw_errno(info.Env(), error, "keep CPUs awake");
  return info.Env().Undefined();
}

/// processAffinity() -> number[], empty where the system cannot say
Napi::Value affinity(const Napi::CallbackInfo& info) { return array_of(info.Env(), process::affinity()); }

/// processMonotonicNs() -> CLOCK_MONOTONIC in nanoseconds
Napi::Value monotonic_ns(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(process::monotonic_now()));
}

/// processUsage() -> sums over all threads since the process started
Napi::Value usage(const Napi::CallbackInfo& info) {
  const process::Usage u = process::usage();
  Napi::Object object = Napi::Object::New(info.Env());
  const auto set = [&](const char* name, std::int64_t value) { define(object, name, static_cast<double>(value)); };
  set("userUs", u.user_us);
  set("systemUs", u.system_us);
  set("voluntarySwitches", u.voluntary_switches);
  set("involuntarySwitches", u.involuntary_switches);
  set("rssBytes", u.rss_bytes);
  set("peakRssBytes", u.peak_rss_bytes);
  return object;
}

/// processDescriptorLimit() -> {soft, hard}
Napi::Value descriptor_limit(const Napi::CallbackInfo& info) {
  const process::DescriptorLimit limit = process::descriptor_limit();
  Napi::Object object = Napi::Object::New(info.Env());
  define(object, "soft", static_cast<double>(limit.soft));
  define(object, "hard", static_cast<double>(limit.hard));
  return object;
}

/// processClockStepNs(readings) -> smallest step seen
Napi::Value clock_step_ns(const Napi::CallbackInfo& info) {
  std::int64_t readings = 0;
  if (!int_argument(info, 0, "readings", 1, 1'000'000, readings)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(process::clock_step(static_cast<int>(readings))));
}

/// processCalibrationSpinNs(rounds) -> time of the loop
Napi::Value calibration_spin_ns(const Napi::CallbackInfo& info) {
  std::int64_t rounds = 0;
  if (!int_argument(info, 0, "rounds", 1, 1'000'000'000, rounds)) return info.Env().Undefined();
  const auto ns = process::calibration_spin(static_cast<std::uint32_t>(rounds));
  return Napi::Number::New(info.Env(), static_cast<double>(ns));
}

/// processMemoryWalkNs(bytes, steps) -> time of one load; 0 without the memory
Napi::Value memory_walk_ns(const Napi::CallbackInfo& info) {
  std::int64_t bytes = 0;
  std::int64_t steps = 0;
  if (!int_argument(info, 0, "bytes", 128, 64 << 20, bytes) || !int_argument(info, 1, "steps", 1, 1 << 20, steps)) {
    return info.Env().Undefined();
  }
  const double ns = process::memory_walk(static_cast<std::size_t>(bytes), static_cast<std::uint32_t>(steps));
  return Napi::Number::New(info.Env(), ns);
}

/// processPairedSpinNs(rounds, cpu, partner) -> CPU time of the work; partner -1: alone
Napi::Value paired_spin_ns(const Napi::CallbackInfo& info) {
  std::int64_t rounds = 0;
  std::int64_t cpu = 0;
  std::int64_t partner = 0;
  if (!int_argument(info, 0, "rounds", 1, 10'000'000, rounds) || !int_argument(info, 1, "cpu", 0, 1023, cpu) ||
      !int_argument(info, 2, "partner", -1, 1023, partner)) {
    return info.Env().Undefined();
  }
  const auto ns = process::paired_spin(static_cast<std::uint32_t>(rounds), static_cast<int>(cpu), static_cast<int>(partner));
  return Napi::Number::New(info.Env(), static_cast<double>(ns));
}

/// processSignalPipe() -> descriptor that turns readable on SIGTERM or SIGINT
Napi::Value signal_pipe(const Napi::CallbackInfo& info) {
  const int fd = process::signal_pipe({SIGTERM, SIGINT});
  if (fd < 0) throw_errno(info.Env(), -fd, "open a signal pipe");
  return Napi::Number::New(info.Env(), fd);
}

/// processBuild() -> {compiler, compilerFlags, kernel}
Napi::Value build(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  define(object, "compiler", process::compiler());
  define(object, "compilerFlags", process::compiler_flags());
  define(object, "kernel", process::kernel_release());
  return object;
}

}  // namespace

void export_process(Napi::Env env, Napi::Object exports) {
  define(exports, "processSetAffinity", Napi::Function::New<set_affinity>(env));
  define(exports, "processKeepAwake", Napi::Function::New<keep_awake>(env));
  define(exports, "processAffinity", Napi::Function::New<affinity>(env));
  define(exports, "processMonotonicNs", Napi::Function::New<monotonic_ns>(env));
  define(exports, "processUsage", Napi::Function::New<usage>(env));
  define(exports, "processDescriptorLimit", Napi::Function::New<descriptor_limit>(env));
  define(exports, "processClockStepNs", Napi::Function::New<clock_step_ns>(env));
  define(exports, "processCalibrationSpinNs", Napi::Function::New<calibration_spin_ns>(env));
  define(exports, "processMemoryWalkNs", Napi::Function::New<memory_walk_ns>(env));
  define(exports, "processPairedSpinNs", Napi::Function::New<paired_spin_ns>(env));
  define(exports, "processSignalPipe", Napi::Function::New<signal_pipe>(env));
  define(exports, "processBuild", Napi::Function::New<build>(env));
}

}  // namespace addon
