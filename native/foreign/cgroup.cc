#ifdef __linux__
#include "foreign/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <sstream>

#include "foreign/proc_file.h"

namespace foreign {
namespace {

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == word) return true;
    if (comma == list.npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

/// Where the hierarchy is mounted and which of its groups the mount shows as its root: lines of proc_pid_mountinfo(5).
struct Mount {
  std::string root;
  std::string point;
};

std::optional<Mount> mount_of(std::string_view controller) {
  std::istringstream lines(read_file("/proc/self/mountinfo").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == line.npos) continue;
    std::istringstream before(line.substr(0, dash));
    std::istringstream after(line.substr(dash + 3));
    std::string skipped;
    std::string type;
    std::string options;
    Mount mount;
    before >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    after >> type >> skipped >> options;
    if (controller.empty() ? type == "cgroup2" : type == "cgroup" && has_word(options, controller)) return mount;
  }
  return std::nullopt;
}

/// This process's group in the hierarchy: lines of /proc/self/cgroup, `id:controllers:path`.
std::optional<std::string> own_group(std::string_view controller) {
  std::istringstream lines(read_file("/proc/self/cgroup").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    if (controller.empty() ? controllers.empty() : has_word(controllers, controller)) return line.substr(second + 1);
  }
  return std::nullopt;
}

bool write_all(const char* path, std::string_view text) noexcept {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t n = write(fd, text.data(), text.size());
  const int error = errno;
  close(fd);
  errno = error;
  return n == static_cast<ssize_t>(text.size());
}

}  // namespace

std::optional<Cgroup> Cgroup::make(std::string_view controller, const std::string& name) {
  const std::optional<Mount> mount = mount_of(controller);
  std::optional<std::string> group = own_group(controller);
  if (!mount || !group) return std::nullopt;
  if (mount->root != "/" && group->starts_with(mount->root)) group->erase(0, mount->root.size());
  if (group->empty() || group->back() != '/') *group += '/';
  const Cgroup made(mount->point + *group + name);
  if (mkdir(made.folder_.c_str(), 0755) != 0) return std::nullopt;
  // Whether a process may join shows only when one tries.
  const pid_t probe = fork();
  if (probe == 0) _exit(made.join() ? 0 : 1);
  int status = -1;
  while (probe > 0 && waitpid(probe, &status, 0) < 0 && errno == EINTR) {}
  if (status == 0) return made;
  made.remove();
  return std::nullopt;
}

std::optional<Cgroup> Cgroup::at(std::string_view controller, const std::string& path) {
  const std::optional<Mount> mount = mount_of(controller);
  if (!mount) return std::nullopt;
  return Cgroup(mount->point + (path.starts_with('/') ? "" : "/") + path);
}

std::vector<pid_t> Cgroup::members() const {
  std::vector<pid_t> all;
  std::error_code error;
  const auto take = [&all](const std::string& folder) {
    std::istringstream lines(read_file(folder + "/cgroup.procs").value_or(""));
    for (pid_t pid = 0; lines >> pid;) all.push_back(pid);
  };
  take(folder_);
  for (std::filesystem::recursive_directory_iterator below(folder_, error), end; !error && below != end; below.increment(error)) {
    if (below->is_directory(error)) take(below->path().string());
  }
  return all;
}

std::optional<std::int64_t> Cgroup::number(const std::string& file) const {
  return number_after(read_file(folder_ + "/" + file).value_or(""), "");
}

std::optional<std::int64_t> Cgroup::number(const std::string& file, std::string_view key) const {
  return number_after(read_file(folder_ + "/" + file).value_or(""), key);
}

bool Cgroup::join() const noexcept { return write_all(members_.c_str(), "0"); }

void Cgroup::kill_all() const noexcept { write_all(kill_.c_str(), "1"); }

void Cgroup::remove() const noexcept {
  for (int i = 0; i < 100 && rmdir(folder_.c_str()) != 0 && errno == EBUSY; ++i) usleep(10'000);
}

}  // namespace foreign
#endif
