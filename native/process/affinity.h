// Which CPUs the process runs on.
#pragma once

#include <vector>

namespace process {

/// Lets every thread of the process run only on `cpus`. Returns 0 or an errno; ENOSYS where the system has no such call.
int set_affinity(const std::vector<int>& cpus) noexcept;

/// The same of the calling thread alone.
int set_thread_affinity(const std::vector<int>& cpus) noexcept;

/// CPUs the calling thread may run on; empty where the system cannot say.
std::vector<int> affinity();

}  // namespace process
