#ifdef __linux__
#include "foreign/descendants.h"

#include <dirent.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "foreign/proc_file.h"

namespace foreign {
namespace {

/// Names in a folder of /proc that are numbers.
std::vector<int> numbered_entries(const std::string& folder) {
  std::vector<int> numbers;
  DIR* entries = opendir(folder.c_str());
  if (entries == nullptr) return numbers;
  while (const dirent* entry = readdir(entries)) {
    if (const int number = std::atoi(entry->d_name); number > 0) numbers.push_back(number);
  }
  closedir(entries);
  return numbers;
}

std::string folder_of(pid_t pid) { return "/proc/" + std::to_string(pid); }

}  // namespace

std::optional<Process> process_of(pid_t pid) {
  const std::optional<std::string> text = read_file(folder_of(pid) + "/stat");
  if (!text) return std::nullopt;
  // The name in parentheses may hold anything, parentheses too; the fields follow the last one.
  const std::size_t name_end = text->rfind(')');
  if (name_end == text->npos) return std::nullopt;
  char state = 0;
  int parent = 0;
  long long ticks[4];
  long long rss_pages = 0;
  const int fields = std::sscanf(text->c_str() + name_end + 1,
                                 " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld %lld %lld"
                                 " %*d %*d %*d %*d %*u %*u %lld",
                                 &state, &parent, &ticks[0], &ticks[1], &ticks[2], &ticks[3], &rss_pages);
  if (fields != 7) return std::nullopt;
  static const long long us_per_tick = 1'000'000 / sysconf(_SC_CLK_TCK);
  static const long long page = sysconf(_SC_PAGESIZE);
  return Process{pid,
                 parent,
                 state == 'Z' || state == 'X',
                 ticks[0] * us_per_tick,
                 ticks[1] * us_per_tick,
                 ticks[2] * us_per_tick,
                 ticks[3] * us_per_tick,
                 rss_pages * page};
}

std::vector<Process> descendants(pid_t root) {
  std::unordered_multimap<pid_t, Process> by_parent;
  for (const int pid : numbered_entries("/proc")) {
    if (const std::optional<Process> process = process_of(pid)) by_parent.emplace(process->parent, *process);
  }
  std::vector<Process> found;
  std::unordered_set<pid_t> seen = {root};  // a pid used again during the pass could close a circle
  const auto add_children = [&](pid_t parent) {
    const auto [first, last] = by_parent.equal_range(parent);
    for (auto row = first; row != last; ++row) {
      if (seen.insert(row->second.pid).second) found.push_back(row->second);
    }
  };
  add_children(root);
  for (std::size_t i = 0; i < found.size(); ++i) add_children(found[i].pid);
  return found;
}

std::int64_t peak_rss_bytes(pid_t pid) {
  return number_after(read_file(folder_of(pid) + "/status").value_or(""), "\nVmHWM:").value_or(0) * 1024;
}

std::optional<std::int64_t> pss_bytes(pid_t pid) {
  const std::optional<std::string> text = read_file(folder_of(pid) + "/smaps_rollup");
  if (text) return number_after(*text, "\nPss:").value_or(0) * 1024;
  // Gone, or a zombie without memory; anything else means that the system keeps it from us.
  if (errno == ESRCH) return 0;
  return access(folder_of(pid).c_str(), F_OK) == 0 ? std::nullopt : std::optional<std::int64_t>(0);
}

Switches context_switches(pid_t pid) {
  Switches sum;
  const std::string tasks = folder_of(pid) + "/task";
  for (const int thread : numbered_entries(tasks)) {
    const std::string status = read_file(tasks + "/" + std::to_string(thread) + "/status").value_or("");
    sum.voluntary += number_after(status, "\nvoluntary_ctxt_switches:").value_or(0);
    sum.involuntary += number_after(status, "\nnonvoluntary_ctxt_switches:").value_or(0);
  }
  return sum;
}

}  // namespace foreign
#endif
