// dispatchbench-spawn: what starting a command costs, alone. Each process is given the input of a request on stdin, its
// output is read, and it is waited for before the next one starts; nothing of it is read by a shell. Output: one line of
// src/contract/clients.ts. `--spawns N --warmups N --cpu LIST -- PROGRAM ARGUMENTS`.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "process/affinity.h"
#include "process/arguments.h"
#include "process/clock.h"
#include "process/json_line.h"

extern char** environ;

namespace {

constexpr std::string_view kInput = "hello";

struct Options {
  std::uint64_t spawns = 100;
  std::uint64_t warmups = 3;
  std::vector<int> cpus;
  std::vector<char*> command;  ///< ends with a null pointer
};

std::string parse(std::span<char* const> arguments, Options& options) {
  process::Arguments known;
  known.number("--spawns", 1, 10'000'000, options.spawns);
  known.number("--warmups", 0, 1'000'000, options.warmups);
  known.cpus("--cpu", options.cpus);
  std::span<char* const> command;
  if (std::string fault = known.read(arguments, &command); !fault.empty()) return fault;
  if (command.empty()) return "the command is missing: give it after --, as in -- cat";
  options.command.assign(command.begin(), command.end());
  options.command.push_back(nullptr);
  return "";
}

bool open_pipe(int (&ends)[2]) {
  if (pipe(ends) != 0) return false;
  // Nothing else here starts processes meanwhile, so that a second call is soon enough.
  for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
  return true;
}

/// One process from its start to its end; adds what it wrote. One sentence on what failed.
std::string spawn_once(const Options& options, std::uint64_t& bytes_out) {
  int input[2];
  int output[2];
  if (!open_pipe(input)) return std::string("no pipe: ") + std::strerror(errno);
  if (!open_pipe(output)) {
    close(input[0]);
    close(input[1]);
    return std::string("no pipe: ") + std::strerror(errno);
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  pid_t child = -1;
  const int error = posix_spawnp(&child, options.command[0], &actions, nullptr, options.command.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(input[0]);
  close(output[1]);
  if (error == 0 && write(input[1], kInput.data(), kInput.size()) < 0) {}  // one that reads nothing is no fault
  close(input[1]);
  char buffer[65536];
  for (ssize_t n = 1; error == 0 && n != 0;) {
    n = read(output[0], buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    bytes_out += static_cast<std::uint64_t>(n);
  }
  close(output[0]);
  if (error != 0) return std::string("cannot start ") + options.command[0] + ": " + std::strerror(error);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  return std::string(options.command[0]) +
         (WIFSIGNALED(status) ? " was killed by signal " + std::to_string(WTERMSIG(status))
                              : " ended with exit code " + std::to_string(WEXITSTATUS(status)));
}

std::int64_t micros(const timeval& time) { return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec; }

/// CPU time of this process and of all it has waited for.
std::int64_t cpu_us() {
  std::int64_t sum = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    sum += micros(usage.ru_utime) + micros(usage.ru_stime);
  }
  return sum;
}

std::string run(const Options& options) {
  if (!options.cpus.empty()) {
    if (const int error = process::set_affinity(options.cpus))
      return std::string("--cpu cannot be met: ") + std::strerror(error);
  }
  // A command that reads nothing must not end us.
  std::signal(SIGPIPE, SIG_IGN);
  std::uint64_t bytes_out = 0;
  for (std::uint64_t i = 0; i < options.warmups; ++i) {
    if (std::string fault = spawn_once(options, bytes_out); !fault.empty()) return fault;
  }
  bytes_out = 0;
  const std::int64_t cpu = cpu_us();
  const process::Nanoseconds from = process::monotonic_now();
  for (std::uint64_t i = 0; i < options.spawns; ++i) {
    if (std::string fault = spawn_once(options, bytes_out); !fault.empty()) return fault;
  }
  process::JsonLine line;
  line.string("event", "spawned")
      .number("spawns", options.spawns)
      .number("elapsedNs", process::monotonic_now() - from)
      .number("cpuUs", cpu_us() - cpu)
      .number("bytesOut", bytes_out);
  process::print_line(line.text());
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string fault = parse(std::span(argv, static_cast<std::size_t>(argc)).subspan(1), options);
  if (fault.empty()) fault = run(options);
  if (fault.empty()) return 0;
  std::fprintf(stderr, "dispatchbench-spawn: %s\n", fault.c_str());
  return 1;
}
