#ifdef __linux__
#include "foreign/accounts.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "process/clock.h"

namespace foreign {
namespace {

std::string group_name() { return "dispatchbench-foreign-" + std::to_string(getpid()); }

/// A group that cannot tell what it was made for is of no use.
std::optional<Cgroup> group_with(std::string_view controller, const std::string& file) {
  std::optional<Cgroup> group = Cgroup::make(controller, group_name());
  const bool tells = group && (group->number(file) || group->number(file, "user_usec"));
  if (group && !tells) {
    group->remove();
    group.reset();
  }
  return group;
}

/// What a group has used, microseconds; all of it nothing where there is no such group yet.
struct CpuTime {
  std::int64_t total = 0;
  std::int64_t user = 0;
  std::int64_t system = 0;
};

CpuTime cpu_time(const Cgroup& group) {
  if (const std::optional<std::int64_t> usage = group.number("cpuacct.usage")) {
    constexpr std::int64_t kNsPerUs = 1000;
    return {*usage / kNsPerUs, group.number("cpuacct.usage_user").value_or(0) / kNsPerUs,
            group.number("cpuacct.usage_sys").value_or(0) / kNsPerUs};
  }
  const std::int64_t user = group.number("cpu.stat", "user_usec").value_or(0);
  const std::int64_t system = group.number("cpu.stat", "system_usec").value_or(0);
  return {user + system, user, system};
}

}  // namespace

Accounts::Accounts(Accounting wanted, const std::string& group) {
  const auto allowed = [wanted](Accounting source) { return wanted == Accounting::any || wanted == source; };
  if (allowed(Accounting::cgroup2)) unified_ = group_with("", "cpu.stat");
  if (!unified_ && allowed(Accounting::cgroup1)) cpuacct_ = group_with("cpuacct", "cpuacct.usage_user");
  const bool memory_told = unified_ && unified_->number("memory.peak");
  if ((unified_ || cpuacct_) && !memory_told) memory_ = group_with("memory", "memory.max_usage_in_bytes");
  if (group.empty()) return;
  // Where both hierarchies are, whoever makes containers joins the older one for certain, and may leave the other out.
  beside_ = Cgroup::at("cpuacct", group);
  if (!beside_) beside_ = Cgroup::at("", group);
}

Accounting Accounts::source() const noexcept {
  return unified_ ? Accounting::cgroup2 : cpuacct_ ? Accounting::cgroup1 : Accounting::rusage;
}

std::vector<Cgroup> Accounts::groups() const {
  std::vector<Cgroup> groups;
  for (const std::optional<Cgroup>* group : {&unified_, &cpuacct_, &memory_}) {
    if (*group) groups.push_back(**group);
  }
  return groups;
}

TreeFigures Accounts::take(pid_t root) {
  TreeFigures figures;
  figures.monotonic_ns = process::monotonic_now();
  std::vector<Process> tree;
  if (unified_ || cpuacct_) take_cpu(figures, root, tree);
  tree = descendants(root);
  if (!unified_ && !cpuacct_) take_cpu(figures, root, tree);
  if (beside_) {
    for (const pid_t pid : beside_->members()) {
      if (const std::optional<Process> process = process_of(pid)) tree.push_back(*process);
    }
  }
  std::erase_if(tree, [](const Process& process) { return process.ended; });
  take_memory(figures, tree);
  figures.processes_now = tree.size();
  forks_.take();
  figures.processes_started = forks_.processes();
  if (forks_.none_ended()) {
    figures.switches.emplace();
    for (const Process& process : tree) {
      const Switches switches = context_switches(process.pid);
      figures.switches->voluntary += switches.voluntary;
      figures.switches->involuntary += switches.involuntary;
    }
  }
  return figures;
}

void Accounts::take_cpu(TreeFigures& figures, pid_t root, const std::vector<Process>& tree) {
  if (unified_ || cpuacct_) {
    CpuTime all;
    for (const std::optional<Cgroup>* group : {&unified_, &cpuacct_, &beside_}) {
      if (!*group) continue;
      const CpuTime used = cpu_time(**group);
      all = {all.total + used.total, all.user + used.user, all.system + used.system};
    }
    split(figures, all.total, all.user, all.system);
    return;
  }
  if (const std::optional<Process> keeper = process_of(root)) {
    figures.user_us = keeper->waited_user_us;
    figures.system_us = keeper->waited_system_us;
  }
  for (const Process& process : tree) {
    figures.user_us += process.user_us + process.waited_user_us;
    figures.system_us += process.system_us + process.waited_system_us;
  }
  // A process that ended while /proc was read is in the next sum; a sum must not fall for that.
  figures.user_us = user_us_ = std::max(user_us_, figures.user_us);
  figures.system_us = system_us_ = std::max(system_us_, figures.system_us);
}

void Accounts::split(TreeFigures& figures, std::int64_t total_us, std::int64_t user_us, std::int64_t system_us) {
  const std::int64_t both = user_us + system_us;
  const double share = both > 0 ? static_cast<double>(user_us) / static_cast<double>(both) : 1;
  const auto user = both == total_us ? user_us : static_cast<std::int64_t>(share * static_cast<double>(total_us));
  figures.user_us = user_us_ = std::clamp(user, user_us_, std::max(user_us_, total_us - system_us_));
  figures.system_us = system_us_ = std::max(system_us_, total_us - user_us_);
}

void Accounts::take_memory(TreeFigures& figures, const std::vector<Process>& tree) {
  figures.pss_bytes = 0;
  for (const Process& process : tree) {
    figures.rss_bytes += process.rss_bytes;
    peak_rss_bytes_ = std::max(peak_rss_bytes_, peak_rss_bytes(process.pid));
    const std::optional<std::int64_t> pss = pss_bytes(process.pid);
    figures.pss_bytes = pss && figures.pss_bytes ? std::optional(*figures.pss_bytes + *pss) : std::nullopt;
  }
  figures.peak_rss_bytes = peak_rss_bytes_ = std::max(peak_rss_bytes_, figures.rss_bytes);
  if (unified_) figures.peak_bytes = unified_->number("memory.peak");
  if (memory_) figures.peak_bytes = memory_->number("memory.max_usage_in_bytes");
}

}  // namespace foreign
#endif
