#include "process/awake.h"

#include <cerrno>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <future>
#include <thread>
#endif

namespace process {

#if defined(__linux__)
namespace {

constexpr int kLeastNice = 19;

/// 0 or an errno. Linux knows policy, CPU and nice value per thread.
int become_filler(int cpu) noexcept {
  if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  const sched_param none{};
  if (sched_setaffinity(0, sizeof set, &set) != 0) return errno;
  // Not sched_setscheduler: musl has it fail.
  if (const int error = pthread_setschedparam(pthread_self(), SCHED_IDLE, &none)) return error;
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  return setpriority(PRIO_PROCESS, thread, kLeastNice) == 0 ? 0 : errno;
}

void fill(int cpu, std::promise<int> started) {
  const int error = become_filler(cpu);
  started.set_value(error);
  if (error != 0) return;
  // One chain of dependent steps leaves a second thread of the core most of its units. The pause instruction would leave
  // more, but a hypervisor takes a loop of it for a wait and stops the CPU.
  for (volatile std::uint64_t x = 1;;) x = x * 3 + 1;
}

}  // namespace

int keep_awake(const std::vector<int>& cpus) noexcept {
  int first = 0;
  for (const int cpu : cpus) {
    std::promise<int> started;
    std::future<int> outcome = started.get_future();
    std::thread(fill, cpu, std::move(started)).detach();
    const int error = outcome.get();
    if (first == 0) first = error;
  }
  return first;
}
#else
int keep_awake(const std::vector<int>&) noexcept { return ENOSYS; }
#endif

}  // namespace process
