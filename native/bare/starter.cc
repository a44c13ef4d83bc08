#include "bare/starter.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "bare/frame.h"
#include "bare/line_splitter.h"
#include "bare/program.h"
#include "process/json_line.h"
#include "process/signals.h"

namespace bare {
namespace {

using process::JsonLine;

constexpr std::int64_t kLastGraceMs = 2000;

class Starter {
 public:
  explicit Starter(int signals) : signals_(signals) {}

  std::string serve() {
    while (open_ || !programs_.empty()) turn();
    return fault_;
  }

 private:
  void turn() {
    std::vector<pollfd> watched = {{signals_, POLLIN, 0}, {open_ ? STDIN_FILENO : -1, POLLIN, 0}};
    for (const auto& one : programs_) {
      watched.push_back({one->wants_writing(), POLLOUT, 0});
      watched.push_back({one->out(), POLLIN, 0});
      watched.push_back({one->err(), POLLIN, 0});
    }
    if (::poll(watched.data(), static_cast<nfds_t>(watched.size()), patience()) < 0) return;  // EINTR
    const auto ready = [&watched](std::size_t at) { return watched[at].fd >= 0 && watched[at].revents != 0; };
    for (std::size_t i = 0; i < programs_.size(); ++i) {
      if (ready(2 + 3 * i)) programs_[i]->write_waiting();
      if (ready(3 + 3 * i)) programs_[i]->read_out();
      if (ready(4 + 3 * i)) programs_[i]->read_err();
    }
    if (ready(0)) take_signals();
    for (const auto& one : programs_) one->reap();
    report_ended();
    if (ready(1)) take_frames();
  }

  /// Milliseconds until a signal is due, -1 for as long as it takes.
  int patience() {
    process::Nanoseconds least = -1;
    const process::Nanoseconds now = process::monotonic_now();
    for (const auto& one : programs_) {
      const process::Nanoseconds left = one->insist(now);
      if (left >= 0) least = least < 0 ? left : std::min(least, left);
    }
    return least < 0 ? -1 : static_cast<int>(least / process::kMillisecond) + 1;
  }

  void take_signals() {
    char numbers[64];
    const ssize_t n = ::read(signals_, numbers, sizeof numbers);
    for (ssize_t i = 0; i < n; ++i) {
      if (numbers[i] != SIGCHLD) end_all();
    }
  }

  void report_ended() {
    std::erase_if(programs_, [](const std::unique_ptr<Program>& one) {
      const std::string how = one->ending();
      if (how.empty()) return false;
      process::print_line(JsonLine().string("type", "ended").number("id", one->id()).string("how", how).text());
      return true;
    });
  }

  void take_frames() {
    const bool more = lines_.read_from(STDIN_FILENO, [this](std::string_view line) {
      if (!open_ || line.empty()) return;
      if (const auto frame = read_frame(line)) return carry_out(*frame);
      fault_ = "the runner sent what is no frame";
      end_all();
    });
    if (!more) end_all();
  }

  void carry_out(const Frame& frame) {
    const auto found = std::find_if(programs_.begin(), programs_.end(),
                                    [&frame](const auto& one) { return one->id() == frame.id; });
    if (frame.type == "start" && found == programs_.end()) {
      auto& one = *programs_.emplace_back(std::make_unique<Program>(frame.id, frame.command, frame.args));
      if (one.pid() > 0) {
        process::print_line(JsonLine().string("type", "started").number("id", one.id()).number("pid", one.pid()).text());
      }
      report_ended();
    } else if (found == programs_.end()) {
      return;  // it has ended, which is on its way
    } else if (frame.type == "line") {
      (*found)->send(frame.text);
    } else if (frame.type == "end") {
      (*found)->end(frame.grace_ms);
    }
  }

  void end_all() {
    open_ = false;
    for (const auto& one : programs_) one->end(kLastGraceMs);
  }

  int signals_;
  bool open_ = true;
  LineSplitter lines_{kMaxFrame};
  std::vector<std::unique_ptr<Program>> programs_;
  std::string fault_;
};

}  // namespace

std::string serve_starter(const std::string& folder) {
  ::signal(SIGPIPE, SIG_IGN);
  const int signals = process::signal_pipe({SIGCHLD, SIGTERM, SIGINT, SIGHUP});
  if (signals < 0) return std::string("cannot hear of signals: ") + std::strerror(-signals);
  process::print_line(JsonLine()
                          .string("type", "ready")
                          .string("version", "native")
                          .string("node", "")
                          .string("scripts", "")
                          .string("cli", "")
                          .string("native", folder)
                          .text());
  return Starter(signals).serve();
}

}  // namespace bare
