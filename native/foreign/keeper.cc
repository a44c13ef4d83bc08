#ifdef __linux__
#include "foreign/keeper.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "foreign/descendants.h"
#include "process/affinity.h"
#include "process/clock.h"

namespace foreign {
namespace {

/// What the keeper tells; shorter than PIPE_BUF, so that each arrives whole.
struct News {
  enum Kind : int { started, group_refused, affinity_refused, not_executed, command_ended } kind;
  int value;  ///< pid, errno or wait status
};

/// Pipe ends that exist once: no process of the tree inherits them.
struct Pipe {
  int read_end = -1;
  int write_end = -1;
  bool open() noexcept {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read_end = ends[0];
    write_end = ends[1];
    return true;
  }
};

void tell(int fd, News news) noexcept {
  if (write(fd, &news, sizeof news) < 0) {}  // nobody listens any more: the lifeline is closed too
}

/// Waits for whatever has ended. False when there is no child left.
bool reap(const std::function<void(pid_t, int)>& ended) {
  while (true) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid > 0) ended(pid, status);
    else if (pid == 0) return true;
    else if (errno != EINTR) return false;
  }
}

/// Ends everything below this process, a subreaper; returns when nothing is left.
void end_descendants(std::uint64_t grace_ms, const std::vector<Cgroup>& groups,
                     const std::function<void(pid_t, int)>& ended) {
  const auto signal_all = [](int number) {
    for (const Process& process : descendants(getpid())) kill(process.pid, number);
  };
  const process::Nanoseconds deadline =
      process::monotonic_now() + static_cast<process::Nanoseconds>(grace_ms) * process::kMillisecond;
  constexpr useconds_t kStepUs = 2'000;
  if (grace_ms > 0) signal_all(SIGTERM);
  for (; reap(ended) && process::monotonic_now() < deadline; usleep(kStepUs)) {}
  // Again and again, because a process may have forked while its parent was found.
  for (; reap(ended); usleep(kStepUs)) {
    for (const Cgroup& group : groups) group.kill_all();
    signal_all(SIGKILL);
  }
}

/// Closes what came with the fork; the standard streams lead nowhere.
void keep_only(std::vector<int> kept) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, stream);
  std::vector<int> open_ones;
  if (DIR* entries = opendir("/proc/self/fd")) {
    while (const dirent* entry = readdir(entries)) open_ones.push_back(std::atoi(entry->d_name));
    closedir(entries);
  }
  for (const int fd : open_ones) {
    if (fd > STDERR_FILENO && std::find(kept.begin(), kept.end(), fd) == kept.end()) close(fd);
  }
}

[[noreturn]] void become_command(const Order& order, int output, int failure) {
  setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const auto fail = [failure](News::Kind kind, int error) {
    tell(failure, {kind, error});
    _exit(127);
  };
  for (const Cgroup& group : order.groups) {
    if (!group.join()) fail(News::group_refused, errno);
  }
  if (!order.cpus.empty()) {
    if (const int error = process::set_affinity(order.cpus)) fail(News::affinity_refused, error);
  }
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : order.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  fail(News::not_executed, errno);
  _exit(127);
}

/// Forks the command and tells how that went. -1 when it does not run.
pid_t start_command(const Order& order, int news, int output) {
  Pipe failure;
  if (!failure.open()) return -1;
  const pid_t pid = fork();
  if (pid == 0) become_command(order, output, failure.write_end);
  close(failure.write_end);
  // It closes with a successful exec.
  News first{News::started, pid};
  if (pid < 0) first = {News::not_executed, errno};
  else if (read(failure.read_end, &first, sizeof first) < 0) first = {News::not_executed, errno};
  close(failure.read_end);
  tell(news, first);
  return first.kind == News::started ? pid : -1;
}

[[noreturn]] void keep(const Order& order, int lifeline, int news, int output) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "keeper");
  setsid();
  keep_only({lifeline, news, output});
  // Only the lifeline ends it, so that a signal to many does not take it before its charges.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_IGN);
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, nullptr);
  const int ends = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);

  // A byte says go; its end says that nobody is there any more.
  char go = 0;
  const pid_t command = read(lifeline, &go, 1) == 1 ? start_command(order, news, output) : -1;
  close(output);
  const auto ended = [&](pid_t pid, int status) {
    if (pid == command) tell(news, {News::command_ended, status});
  };
  bool some_left = true;
  for (bool held = command > 0; held && some_left;) {
    pollfd watched[] = {{lifeline, POLLIN, 0}, {ends, POLLIN, 0}};
    poll(watched, 2, -1);
    signalfd_siginfo told;
    while (read(ends, &told, sizeof told) > 0) {}
    some_left = reap(ended);
    held = watched[0].revents == 0;
  }
  if (some_left) end_descendants(order.grace_ms, order.groups, ended);
  for (const Cgroup& group : order.groups) group.remove();
  _exit(0);
}

std::string refusal(const News& news, const Order& order) {
  const std::string why = std::strerror(news.value);
  if (news.kind == News::affinity_refused) return "--cpu cannot be met: " + why;
  if (news.kind == News::group_refused) return "the command cannot join its control group: " + why;
  return "cannot run '" + order.command[0] + "': " + why;
}

}  // namespace

Keeper::~Keeper() {
  if (pid_ < 0) return;
  end();
  while (!gone_) {
    pollfd one{news_, POLLIN, 0};
    poll(&one, 1, -1);
    take_news();
  }
  close(news_);
  close(output_);
}

std::string Keeper::start(const Order& order) {
  order_ = order;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  Pipe lifeline;
  Pipe news;
  Pipe output;
  if (lifeline.open() && news.open() && output.open()) pid_ = fork();
  if (pid_ < 0) return std::string("cannot start a keeper for the command: ") + std::strerror(errno);
  if (pid_ == 0) keep(order_, lifeline.read_end, news.write_end, output.write_end);
  close(lifeline.read_end);
  close(news.write_end);
  close(output.write_end);
  lifeline_ = lifeline.write_end;
  news_ = news.read_end;
  output_ = output.read_end;
  fcntl(output_, F_SETFL, O_NONBLOCK);
  return "";
}

std::string Keeper::run_command() {
  if (write(lifeline_, "g", 1) < 0) return std::string("the keeper is gone: ") + std::strerror(errno);
  News first{News::not_executed, ECHILD};
  while (read(news_, &first, sizeof first) < 0 && errno == EINTR) {}
  fcntl(news_, F_SETFL, O_NONBLOCK);
  if (first.kind != News::started) return refusal(first, order_);
  command_ = first.value;
  return "";
}

void Keeper::take_news() {
  News news;
  while (!gone_) {
    const ssize_t n = read(news_, &news, sizeof news);
    if (n < 0) return;
    if (n == 0) all_gone();
    else if (news.kind == News::command_ended) status_ = news.value;
  }
}

void Keeper::all_gone() noexcept {
  // Nothing is below us now unless the keeper was killed.
  end_descendants(0, order_.groups, [](pid_t, int) {});
  for (const Cgroup& group : order_.groups) group.remove();
  gone_ = true;
}

void Keeper::end() noexcept {
  if (lifeline_ >= 0) close(lifeline_);
  lifeline_ = -1;
}

}  // namespace foreign
#endif
