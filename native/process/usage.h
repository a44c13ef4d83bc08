// What the process has used up, and how many descriptors it may use.
#pragma once

#include <cstdint>

namespace process {

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

}  // namespace process
