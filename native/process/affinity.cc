#include "process/affinity.h"

#include <cerrno>

#if defined(__linux__)
#include <dirent.h>
#include <sched.h>

#include <cstdlib>
#endif

namespace process {

#if defined(__linux__)
/// False when one of them cannot exist.
static bool set_of(const std::vector<int>& cpus, cpu_set_t& set) noexcept {
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return false;
    CPU_SET(static_cast<unsigned>(cpu), &set);
  }
  return true;
}

int set_thread_affinity(const std::vector<int>& cpus) noexcept {
  cpu_set_t set;
  if (!set_of(cpus, set)) return EINVAL;
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : errno;
}

int set_affinity(const std::vector<int>& cpus) noexcept {
  cpu_set_t set;
  if (!set_of(cpus, set)) return EINVAL;
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return errno;
  int error = 0;
  while (const dirent* entry = readdir(tasks)) {
    const int thread = std::atoi(entry->d_name);
    // A thread may end between the listing and the call: ESRCH is no failure.
    if (thread > 0 && sched_setaffinity(thread, sizeof set, &set) != 0 && errno != ESRCH) error = errno;
  }
  closedir(tasks);
  return error;
}

std::vector<int> affinity() {
  cpu_set_t set;
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}
#else
int set_affinity(const std::vector<int>&) noexcept { return ENOSYS; }
int set_thread_affinity(const std::vector<int>&) noexcept { return ENOSYS; }
std::vector<int> affinity() { return {}; }
#endif

}  // namespace process
