#include "cost/thread_usage.h"

#include <sys/resource.h>
#include <sys/time.h>

namespace cost {

#ifdef RUSAGE_THREAD
const bool kThreadUsageIsOfThread = true;
constexpr int kWho = RUSAGE_THREAD;
#else
const bool kThreadUsageIsOfThread = false;
constexpr int kWho = RUSAGE_SELF;
#endif

ThreadUsage thread_usage() noexcept {
  rusage r{};
  getrusage(kWho, &r);
  const auto microseconds = [](const timeval& t) { return static_cast<std::int64_t>(t.tv_sec) * 1'000'000 + t.tv_usec; };
  return {microseconds(r.ru_utime), microseconds(r.ru_stime), r.ru_nvcsw, r.ru_nivcsw};
}

}  // namespace cost
