#include "foreign/wrapper.h"

#ifdef __linux__
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "foreign/accounts.h"
#include "foreign/keeper.h"
#include "foreign/output.h"
#include "foreign/ports.h"
#include "foreign/report.h"
#include "foreign/socket_table.h"
#include "process/clock.h"
#include "process/json_line.h"
#include "process/usage.h"
#include "servers/control.h"

namespace foreign {
namespace {

std::string ending_of(int status) {
  if (WIFSIGNALED(status)) {
    return "was killed by signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
  }
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

class Wrapper {
 public:
  explicit Wrapper(const Options& options) : options_(options), accounts_(options.accounting, options.group) { subject_.command = command_line(options); }
  ~Wrapper() {
    if (executable_ >= 0) close(executable_);
  }

  std::string run() {
    if (const std::string fault = start(); !fault.empty()) return fault;
    std::string fault = wait_until_ready();
    if (fault.empty() && !control_.stopping()) {
      say_hello();
      fault = serve();
    }
    if (!fault.empty() || !served_) {
      end();
      return fault.empty() ? fault : fault + output_.last_words();
    }
    // Before the end, which costs the server time that no request caused.
    const TreeFigures figures = accounts_.take(keeper_.pid());
    const std::uint64_t sockets = connections();
    end();
    process::print_line(farewell_line(control_.reason(), figures.monotonic_ns - started_, figures, sockets));
    return "";
  }

 private:
  std::string start() {
    if (options_.accounting != Accounting::any && options_.accounting != accounts_.source()) {
      return "--accounting " + std::string(kAccountingNames[static_cast<std::size_t>(options_.accounting)]) +
             " cannot be had here: no control group of that kind can be made and joined";
    }
    if (!options_.group.empty() && accounts_.source() == Accounting::rusage) {
      return "--group takes control groups that count CPU time, and none can be made and joined here";
    }
    Order order{subject_.command, options_.cpus, accounts_.groups(), options_.grace_ms};
    if (std::string fault = keeper_.start(order); !fault.empty()) return fault;
    // After the fork: the keeper has no use for our signals and our stdin.
    if (const int error = control_.open(options_.control)) {
      return std::string("cannot open the control channel: ") + std::strerror(error);
    }
    accounts_.forks().follow(keeper_.pid());
    started_ = process::monotonic_now();
    if (std::string fault = keeper_.run_command(); !fault.empty()) return fault;
    // Kept open, because a command that goes into the background is gone when it serves.
    executable_ = open(executable_path().c_str(), O_RDONLY | O_CLOEXEC);
    return "";
  }

  std::string wait_until_ready() {
    constexpr int kStepMs = 1;
    const process::Nanoseconds deadline =
        started_ + static_cast<process::Nanoseconds>(options_.ready_timeout_ms) * process::kMillisecond;
    while (!ready()) {
      turn(kStepMs);
      if (control_.stopping()) return "";
      if (over()) return "the command " + ending() + " before it served";
      if (process::monotonic_now() > deadline) return lateness();
    }
    subject_.started_ns = started_;
    subject_.ready_after_ns = process::monotonic_now() - started_;
    return "";
  }

  bool ready() const {
    if (options_.ready == Ready::told && !told_) return false;
    if (!options_.datagrams()) return accepts_connection(options_.address);
    return bound_datagram_sockets(options_.address.port(), options_.ports).ports == options_.ports;
  }

  std::string lateness() const {
    const std::string limit = " within " + std::to_string(options_.ready_timeout_ms) + " ms (--ready-timeout)";
    if (options_.ready == Ready::told && !told_) return "the command had told no line" + limit;
    const std::string where = options_.address.host() + " port " + std::to_string(options_.address.port());
    const std::string further = options_.ports > 1 ? " and the " + std::to_string(options_.ports - 1) + " after it" : "";
    return "the command " + std::string(options_.datagrams() ? "had not bound " : "did not accept a connection on ") +
           where + further + limit;
  }

  void say_hello() {
    subject_.pid = keeper_.command();
    subject_.accounting = accounts_.source();
    // What it is by now: a shell may have given way to the server.
    const bool there = access(executable_path().c_str(), R_OK) == 0;
    subject_.executable = there ? executable_path() : "/proc/self/fd/" + std::to_string(executable_);
    process::print_line(hello_line(options_, subject_));
    served_ = true;
  }

  std::string serve() {
    while (!control_.stopping()) {
      turn(-1);
      if (over()) return "the command " + ending();
    }
    return "";
  }

  /// One wait for anything, -1 for as long as it takes, and what it brought.
  void turn(int timeout_ms) {
    std::vector<pollfd> watched = {{keeper_.news(), POLLIN, 0}, {output_open_ ? keeper_.output() : -1, POLLIN, 0},
                                   {accounts_.forks().descriptor(), POLLIN, 0}};
    for (const int fd : control_.descriptors()) watched.push_back({ended_ ? -1 : fd, POLLIN, 0});
    if (poll(watched.data(), static_cast<nfds_t>(watched.size()), timeout_ms) <= 0) return;
    if (watched[1].revents != 0) output_open_ = output_.take(keeper_.output());
    if (watched[2].revents != 0) accounts_.forks().take();
    for (std::size_t i = 3; i < watched.size(); ++i) {
      if (watched[i].revents == 0) continue;
      control_.on_readable(watched[i].fd, [this](std::string_view id) {
        // One that came before the hello has nothing to speak of yet.
        if (served_) process::print_line(snapshot_line(id, accounts_.take(keeper_.pid()), connections()));
      });
    }
    if (watched[0].revents != 0) keeper_.take_news();
  }

  std::uint64_t connections() const {
    return options_.datagrams() ? bound_datagram_sockets(options_.address.port(), options_.ports).sockets
                                : established_connections(options_.address.port()).sockets;
  }

  /// A command that succeeded may have left a server in the background.
  bool over() const {
    const std::optional<int> status = keeper_.command_status();
    return keeper_.gone() || (status && *status != 0);
  }

  std::string ending() const {
    const std::optional<int> status = keeper_.command_status();
    return status ? ending_of(*status) : "was ended, because its keeper was killed";
  }

  /// Ends all of the tree; what it still prints is passed on.
  void end() {
    ended_ = true;
    keeper_.end();
    while (!keeper_.gone()) turn(-1);
    if (output_open_) output_.take(keeper_.output());
  }

  std::string executable_path() const { return "/proc/" + std::to_string(keeper_.command()) + "/exe"; }

  const Options& options_;
  Subject subject_;
  Accounts accounts_;
  Keeper keeper_;
  servers::Control control_;
  Output output_{[this](std::string_view text) {
    told_ = true;
    process::JsonLine line;
    line.string("event", "told").string("text", text);
    process::print_line(line.text());
  }};
  bool told_ = false;
  bool output_open_ = true;
  bool served_ = false;
  bool ended_ = false;
  int executable_ = -1;
  process::Nanoseconds started_ = 0;
};

}  // namespace

std::string run_foreign(Options options) {
  // As our own servers do for themselves.
  process::raise_descriptor_limit();
  if (std::string fault = reserve_ports(options); !fault.empty()) return fault;
  // A keeper that was killed is no reason to die of the write that finds out.
  signal(SIGPIPE, SIG_IGN);
  return Wrapper(options).run();
}

}  // namespace foreign
#else
namespace foreign {

std::string run_foreign(Options) {
  return "foreign servers are not available here: accounting for a process tree, and ending it whole, takes Linux's "
         "/proc and child subreapers";
}

}  // namespace foreign
#endif
