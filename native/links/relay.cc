#include "links/relay.h"

#ifdef __linux__
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "links/tun.h"
#include "links/waiter.h"
#include "process/affinity.h"
#include "process/json_line.h"
#include "process/usage.h"

namespace links {
namespace {

using process::monotonic_now;

/// Packets read from one end before those that are due are looked at again.
constexpr int kBatch = 16;

/// The bytes of packets, each in a slot. What was given back last is taken first: it is still in the cache.
class Slots {
 public:
  using Packet = std::array<std::byte, kLargest>;

  Line::Slot take() {
    if (free_.empty()) {
      packets_.push_back(std::make_unique<Packet>());
      return static_cast<Line::Slot>(packets_.size() - 1);
    }
    const Line::Slot slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give(Line::Slot slot) { free_.push_back(slot); }
  Packet& at(Line::Slot slot) noexcept { return *packets_[slot]; }

 private:
  std::vector<std::unique_ptr<Packet>> packets_;
  std::vector<Line::Slot> free_;
};

/// From one end to the other.
struct Direction {
  Line line;
  Tun& from;
  Tun& to;
};

/// A packet must not wait for the programs that it is for. False: the system does not allow it.
bool go_first() noexcept {
  const sched_param first{.sched_priority = 1};
  return pthread_setschedparam(pthread_self(), SCHED_FIFO, &first) == 0;
}

process::JsonLine counts(const Line& line) {
  const Totals& totals = line.totals();
  const load::Histogram& late = line.lateness();
  process::JsonLine lateness;
  lateness.raw("meanNs", std::to_string(line.mean_lateness()))
      .number("p50Ns", late.quantile(0.5))
      .number("p99Ns", late.quantile(0.99))
      .number("maxNs", late.quantile(1));
  process::JsonLine all;
  all.number("packets", totals.packets)
      .number("bytes", totals.bytes)
      .number("lost", totals.lost)
      .number("overflowed", totals.overflowed)
      .number("passed", totals.passed)
      .number("passedBytes", totals.passed_bytes)
      .raw("lateness", totals.passed == 0 ? "null" : lateness.text());
  return all;
}

class Relay {
 public:
  explicit Relay(const Options& options)
      : up_shape_(options.up), down_shape_(options.down), up_{Line(options.up, 2 * options.seed), client_, server_},
        down_{Line(options.down, 2 * options.seed + 1), server_, client_} {}

  std::string run(const Options& options) {
    if (const int error = options.cpus.empty() ? 0 : process::set_affinity(options.cpus)) {
      return std::string("the CPU asked for cannot be used (") + std::strerror(error) + ")";
    }
    if (std::string fault = client_.open(options.client.space, options.client.device); !fault.empty()) return fault;
    if (std::string fault = server_.open(options.server.space, options.server.device); !fault.empty()) return fault;
    prctl(PR_SET_TIMERSLACK, 1UL);
    process::JsonLine ready;
    ready.string("event", "ready").boolean("realtime", go_first()).numbers("cpus", process::affinity());
    process::print_line(ready.text());
    carry();
    report();
    return fault_;
  }

 private:
  void carry() {
    while (open_) {
      for (Direction* one : {&up_, &down_}) deliver(*one);
      bool more = false;
      for (Direction* one : {&up_, &down_}) more = collect(*one) || more;
      if (!more) wait();
    }
  }

  void deliver(Direction& direction) {
    Line& line = direction.line;
    while (!line.empty()) {
      const Nanoseconds now = monotonic_now();
      if (line.due() > now) return;
      const Line::Slot slot = line.slot();
      const bool taken = direction.to.write(std::span(slots_.at(slot)).first(line.size()));
      line.release(now, !taken);
      slots_.give(slot);
    }
  }

  /// Returns whether there may be more to read at once.
  bool collect(Direction& direction) {
    for (int i = 0; i < kBatch; ++i) {
      const Line::Slot slot = slots_.take();
      const ssize_t size = direction.from.read(slots_.at(slot));
      if (size <= 0) {
        slots_.give(slot);
        return false;
      }
      if (direction.line.take(monotonic_now(), static_cast<std::uint32_t>(size), slot) != Fate::held) slots_.give(slot);
    }
    return true;
  }

  /// Until a packet or a line comes in, or shortly before one is due.
  void wait() {
    const Nanoseconds now = monotonic_now();
    Nanoseconds due = -1;
    for (const Direction* one : {&up_, &down_}) {
      if (!one->line.empty() && (due < 0 || one->line.due() < due)) due = one->line.due();
    }
    const Nanoseconds sleep = due < 0 ? -1 : waiter_.sleep(now, due);
    const timespec timeout{.tv_sec = static_cast<time_t>(sleep / process::kSecond),
                           .tv_nsec = static_cast<long>(sleep % process::kSecond)};
    std::array<pollfd, 3> sources{{{client_.descriptor(), POLLIN, 0},
                                   {server_.descriptor(), POLLIN, 0},
                                   {STDIN_FILENO, POLLIN, 0}}};
    const int ready = ppoll(sources.data(), sources.size(), due < 0 ? nullptr : &timeout, nullptr);
    if (ready == 0 && sleep > 0) waiter_.woke(monotonic_now() - now - sleep);
    if (ready > 0 && sources[2].revents != 0) answer();
  }

  void answer() {
    std::array<char, 256> bytes;
    const ssize_t size = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (size <= 0) {
      open_ = false;
      return;
    }
    asked_.append(bytes.data(), static_cast<std::size_t>(size));
    for (std::size_t end = asked_.find('\n'); end != std::string::npos; end = asked_.find('\n')) {
      obey(std::string_view(asked_).substr(0, end));
      asked_.erase(0, end + 1);
    }
  }

  void obey(std::string_view line) {
    constexpr std::string_view kShape = "shape ";
    if (line == "report") {
      report();
    } else if (!line.starts_with(kShape)) {
      refuse("'" + std::string(line) + "' is no line for a link: known are report and shape");
    } else if (std::string fault = parse_shapes(line.substr(kShape.size()), up_shape_, down_shape_); !fault.empty()) {
      refuse("a shape cannot be read: " + fault);
    } else {
      up_.line.change(up_shape_);
      down_.line.change(down_shape_);
    }
  }

  void refuse(std::string fault) {
    fault_ = std::move(fault);
    open_ = false;
  }

  void report() {
    for (Direction* one : {&up_, &down_}) one->line.missed(one->from.dropped());
    const process::Usage used = process::usage();
    process::JsonLine line;
    line.string("event", "link")
        .object("up", counts(up_.line))
        .object("down", counts(down_.line))
        .number("cpuUs", used.user_us + used.system_us);
    process::print_line(line.text());
    for (Direction* one : {&up_, &down_}) one->line.restart();
  }

  Shape up_shape_;
  Shape down_shape_;
  Tun client_;
  Tun server_;
  Direction up_;
  Direction down_;
  Slots slots_;
  Waiter waiter_;
  std::string asked_;  // what has come in of a line that is not whole
  std::string fault_;
  bool open_ = true;
};

}  // namespace

std::string run_relay(const Options& options) { return Relay(options).run(options); }

}  // namespace links
#else
namespace links {

std::string run_relay(const Options&) {
  return "links are not available here: they connect network namespaces by TUN devices, which are Linux's";
}

}  // namespace links
#endif
