// What the calling thread has used up, where the system can tell it apart; elsewhere it is that of the process.
#pragma once

#include <cstdint>

namespace cost {

struct ThreadUsage {
  std::int64_t user_us = 0;
  std::int64_t system_us = 0;
  std::int64_t voluntary_switches = 0;    ///< it gave its CPU up: it slept
  std::int64_t involuntary_switches = 0;
};
ThreadUsage thread_usage() noexcept;
/// False: thread_usage() counts the whole process.
extern const bool kThreadUsageIsOfThread;

}  // namespace cost
