// Keeps CPUs from going to sleep, so that a wake-up costs what the system's scheduler takes and no more.
#pragma once

#include <vector>

namespace process {

/// Starts a thread on each of `cpus` that calculates whenever nothing else wants to run there, until the process ends. It
/// has the idle policy (sched(7), SCHED_IDLE): what wakes in its session takes the CPU from it at once, strangers within
/// a tick. Its time is counted as nice time. Returns 0 or the first errno; ENOSYS where the system has no such policy.
/// Threads that could not be given CPU and policy end.
int keep_awake(const std::vector<int>& cpus) noexcept;

}  // namespace process
