// Facts and settings of the running process: CPU affinity, resource usage, clock, signals, descriptor limit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace net {

/// CLOCK_MONOTONIC, nanoseconds.
std::int64_t monotonic_ns() noexcept;

/// Smallest step between two readings of the monotonic clock over `readings` tries, nanoseconds.
std::int64_t clock_step_ns(int readings) noexcept;

/// Nanoseconds that a fixed arithmetic loop of `rounds` takes now: drift of the machine shows here.
std::int64_t calibration_spin_ns(std::uint32_t rounds) noexcept;

/// Lets every thread of the process run only on `cpus`. Returns 0 or an errno; ENOSYS where the system has no such call.
int set_affinity(const std::vector<int>& cpus) noexcept;

/// CPUs the calling thread may run on; empty where the system cannot say.
std::vector<int> affinity();

struct Usage {
  std::int64_t user_us = 0;
  std::int64_t system_us = 0;
  std::int64_t voluntary_switches = 0;
  std::int64_t involuntary_switches = 0;
  std::int64_t rss_bytes = 0;       ///< resident now; the peak where the system does not tell (anything but Linux)
  std::int64_t peak_rss_bytes = 0;
};
/// Sums over all threads of the process since it started.
Usage usage() noexcept;

struct DescriptorLimit {
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};
DescriptorLimit descriptor_limit() noexcept;
/// Raises the soft limit to the hard one, as far as the system lets it.
void raise_descriptor_limit() noexcept;

/// Descriptor that turns readable when one of `signals` arrives (one byte each: the signal's number), or -errno.
/// The handlers stay for the life of the process; a second call returns the same descriptor.
int signal_pipe(const std::vector<int>& signals) noexcept;

/// Operating system and release as uname(2) gives them.
std::string kernel_release();

/// Compiler and its version / the flags this was built with, where the build passes them on.
const char* compiler() noexcept;
const char* compiler_flags() noexcept;

}  // namespace net
