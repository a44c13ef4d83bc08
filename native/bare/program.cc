#include "bare/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstring>

#include "process/json_line.h"

namespace bare {
namespace {

/// As long as the contract lets a line be.
constexpr std::size_t kLongestLine = 1 << 20;

void close_end(int& fd) noexcept {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

struct Pipe {
  int ends[2] = {-1, -1};

  bool open() noexcept {
    if (::pipe(ends) != 0) return false;
    for (const int fd : ends) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    return true;
  }
  int take(int end) noexcept {
    const int fd = ends[end];
    ends[end] = -1;
    return fd;
  }
  ~Pipe() {
    for (int& fd : ends) close_end(fd);
  }
};

std::string signal_name(int number) {
  struct Known {
    int number;
    const char* name;
  };
  constexpr Known known[] = {{SIGTERM, "SIGTERM"}, {SIGKILL, "SIGKILL"}, {SIGINT, "SIGINT"},   {SIGSEGV, "SIGSEGV"},
                             {SIGABRT, "SIGABRT"}, {SIGILL, "SIGILL"},   {SIGFPE, "SIGFPE"},   {SIGBUS, "SIGBUS"},
                             {SIGHUP, "SIGHUP"},   {SIGPIPE, "SIGPIPE"}, {SIGQUIT, "SIGQUIT"}};
  for (const Known& one : known) {
    if (one.number == number) return one.name;
  }
  return "signal " + std::to_string(number);
}

void report(const char* type, std::int64_t id, std::string_view text) {
  process::print_line(process::JsonLine().string("type", type).number("id", id).string("text", text).text());
}

[[noreturn]] void become(Pipe& in, Pipe& out, Pipe& err, int failed, char* const* words) {
  ::setsid();
  ::signal(SIGPIPE, SIG_DFL);
  if (::dup2(in.ends[0], STDIN_FILENO) >= 0 && ::dup2(out.ends[1], STDOUT_FILENO) >= 0 &&
      ::dup2(err.ends[1], STDERR_FILENO) >= 0) {
    ::execv(words[0], words);
  }
  const int error = errno;
  if (::write(failed, &error, sizeof error) < 0) {}
  ::_exit(127);
}

}  // namespace

Program::Program(std::int64_t id, const std::string& command, const std::vector<std::string>& args)
    : id_(id), out_lines_(kLongestLine), err_lines_(kLongestLine) {
  const std::string fault = start(command, args);
  if (!fault.empty()) how_ = "could not be started (" + command + ": " + fault + ")";
}

Program::~Program() {
  close_end(in_);
  close_end(out_);
  close_end(err_);
}

std::string Program::start(const std::string& command, const std::vector<std::string>& args) {
  Pipe in;
  Pipe out;
  Pipe err;
  Pipe failure;
  if (!in.open() || !out.open() || !err.open() || !failure.open()) return std::strerror(errno);
  std::vector<char*> words = {const_cast<char*>(command.c_str())};
  for (const std::string& arg : args) words.push_back(const_cast<char*>(arg.c_str()));
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return std::strerror(errno);
  if (pid == 0) become(in, out, err, failure.ends[1], words.data());
  close_end(failure.ends[1]);
  int error = 0;
  // Closed by a successful exec, so this waits for no longer than that takes.
  if (::read(failure.ends[0], &error, sizeof error) == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(pid, nullptr, 0);
    return std::strerror(error);
  }
  pid_ = pid;
  in_ = in.take(1);
  out_ = out.take(0);
  err_ = err.take(0);
  for (const int fd : {in_, out_, err_}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return "";
}

void Program::send(std::string_view line) {
  if (in_ < 0) return;
  waiting_.append(line) += '\n';
  write_waiting();
}

void Program::write_waiting() {
  while (in_ >= 0 && !waiting_.empty()) {
    const ssize_t n = ::write(in_, waiting_.data(), waiting_.size());
    if (n > 0) {
      waiting_.erase(0, static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      waiting_.clear();  // it reads no more
    }
  }
}

void Program::read_out() {
  if (!out_lines_.read_from(out_, [this](std::string_view line) { report("out", id_, line); })) close_end(out_);
}

void Program::read_err() {
  if (!err_lines_.read_from(err_, [this](std::string_view line) { report("err", id_, line); })) close_end(err_);
}

void Program::end(std::int64_t grace_ms) {
  close_end(in_);
  waiting_.clear();
  if (ending_) return;
  ending_ = true;
  grace_ = grace_ms * process::kMillisecond;
  next_signal_ = process::monotonic_now() + grace_;
}

process::Nanoseconds Program::insist(process::Nanoseconds now) {
  constexpr int signals[] = {SIGTERM, SIGKILL};
  constexpr int all = sizeof signals / sizeof *signals;
  if (!ending_ || !how_.empty() || signals_sent_ == all) return -1;
  if (now >= next_signal_) {
    ::kill(pid_, signals[signals_sent_++]);
    next_signal_ = now + grace_;
  }
  return signals_sent_ == all ? -1 : next_signal_ - now;
}

void Program::reap() {
  int status = 0;
  if (pid_ == 0 || !how_.empty() || ::waitpid(pid_, &status, WNOHANG) != pid_) return;
  how_ = WIFSIGNALED(status) ? "was killed by " + signal_name(WTERMSIG(status))
                             : "ended with code " + std::to_string(WEXITSTATUS(status));
}

std::string Program::ending() const { return out_ < 0 && err_ < 0 ? how_ : ""; }

}  // namespace bare
