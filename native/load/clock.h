// The clocks of process/, by the names that every part of a load engine uses.
#pragma once

#include "process/clock.h"

namespace load {

using process::kMicrosecond;
using process::kMillisecond;
using process::kSecond;
using process::monotonic_now;
using process::Nanoseconds;
using process::thread_cpu_now;

}  // namespace load
