// dispatchbench-baseline: the speed of light. The same work per request as the servers under test (one wait, one recv of
// the same window, the same request scan, one send, the same budgets), with the mechanism's bare system calls around it.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "net/spare_descriptor.h"
#include "process/clock.h"
#include "process/json_line.h"
#include "programs/raw_mechanisms.h"
#include "programs/run_program.h"
#include "servers/control.h"
#include "servers/protocol.h"
#include "servers/report.h"
#include "servers/server.h"
#include "servers/udp_echo.h"

namespace {

using process::print_line;
using servers::Options;

template <class Mechanism, class Protocol>
class Loop {
 public:
  Loop(const Options& options, servers::Control& control) : options_(options), control_(control) {}

  std::string run(const servers::Identity& identity) {
    const std::int64_t started = process::monotonic_now();
    listener_ = net::listen_tcp(options_.address, static_cast<int>(options_.backlog));
    if (listener_ < 0) return net::listen_refusal(options_.address, -listener_);
    mechanism_.set(listener_, true, false);
    for (const int fd : control_.descriptors()) mechanism_.set(fd, true, false);
    print_line(servers::hello_line(options_, identity, nullptr, listener_));
    while (!control_.stopping()) {
      const int count = mechanism_.wait([this](int fd) { on_ready(fd); });
      if (count < 0 && errno != EINTR) return std::string("the wait failed: ") + std::strerror(errno);
      statistics_.count_wait(count < 0 ? 0 : count);
    }
    print_line(servers::farewell_line(control_.reason(), started, statistics_, nullptr));
    return "";
  }

 private:
  struct Connection {
    typename Protocol::State state;
    std::vector<std::byte> unsent;
    bool ends = false;      // our FIN follows what is unsent
    bool draining = false;  // our FIN is sent
  };

  void on_ready(int fd) {
    if (fd == listener_) {
      accept_some();
    } else if (control_.owns(fd)) [[unlikely]] {
      control_.on_readable(fd, [this](std::string_view id) {
        print_line(servers::snapshot_line(id, statistics_, nullptr));
      });
    } else {
      serve(fd);
    }
  }

  void accept_some() {
    for (std::uint32_t i = 0; i < options_.budgets.accept; ++i) {
      const int fd = net::accept_connection(listener_);
      if (fd == -EMFILE && spare_.turn_away_one(listener_)) {
        ++statistics_.rejected;
      } else if (fd < 0) {
        return;
      } else {
        if (static_cast<std::size_t>(fd) >= connections_.size()) connections_.resize(static_cast<std::size_t>(fd) * 2);
        connections_[static_cast<std::size_t>(fd)] = {};
        mechanism_.set(fd, true, false);
        ++statistics_.accepted;
      }
    }
  }

  void serve(int fd) {
    Connection& connection = connections_[static_cast<std::size_t>(fd)];
    if (!connection.unsent.empty()) {
      const std::vector<std::byte> rest = std::exchange(connection.unsent, {});
      if (send_all(fd, connection, rest)) mechanism_.set(fd, true, false);
      return;
    }
    for (std::uint32_t reads = 0; reads < options_.budgets.reads; ++reads) {
      const ssize_t n = net::receive(fd, window_);
      if (n <= 0) {
        if (!net::would_block(n)) end(fd);
        return;
      }
      const auto received = static_cast<std::size_t>(n);
      statistics_.bytes_in += received;
      if (!connection.draining) {
        const std::span window(window_);
        const servers::Reply reply = protocol_.answer(connection.state, window.first(received), statistics_);
        connection.ends = reply.close;
        if (!reply.bytes.empty() && !send_all(fd, connection, reply.bytes)) return;
      }
      if (received < window_.size()) return;
    }
  }

  // False when the connection is closed, or keeps bytes and waits until it can be written.
  bool send_all(int fd, Connection& connection, std::span<const std::byte> bytes) {
    ssize_t n = net::transmit(fd, bytes);
    if (n < 0) {
      if (!net::would_block(n)) {
        end(fd);
        return false;
      }
      n = 0;
    }
    statistics_.bytes_out += static_cast<std::uint64_t>(n);
    if (static_cast<std::size_t>(n) < bytes.size()) {
      connection.unsent.assign(bytes.begin() + n, bytes.end());
      mechanism_.set(fd, false, true);
      return false;
    }
    if (connection.ends) {
      shutdown(fd, SHUT_WR);
      connection.draining = true;
    }
    return true;
  }

  void end(int fd) {
    mechanism_.remove(fd);
    close(fd);
    ++statistics_.closed;
  }

  const Options& options_;
  servers::Control& control_;
  servers::Statistics statistics_;
  net::SpareDescriptor spare_;
  Mechanism mechanism_{options_.budgets.max_events};
  Protocol protocol_;
  int listener_ = -1;
  std::vector<Connection> connections_;
  std::vector<std::byte> window_ = std::vector<std::byte>(servers::kReceiveWindow);
};

template <class Mechanism>
std::string run_datagrams(const Options& options, const servers::Identity& identity, servers::Control& control) {
  const std::int64_t started = process::monotonic_now();
  servers::Statistics statistics;
  servers::UdpEcho echo(options, statistics, false);  // its mechanisms are all level-triggered
  if (const std::string fault = echo.open(); !fault.empty()) return fault;
  Mechanism mechanism{options.budgets.max_events};
  for (const int fd : echo.sockets()) {
    mechanism.set(fd, true, false);
    echo.name(fd, static_cast<dispatch::Slot>(fd));
  }
  for (const int fd : control.descriptors()) mechanism.set(fd, true, false);
  print_line(servers::hello_line(options, identity, nullptr, echo.sockets().front()));
  const auto on_snapshot = [&](std::string_view id) {
    print_line(servers::snapshot_line(id, statistics, nullptr));
  };
  while (!control.stopping()) {
    const int count = mechanism.wait([&](int fd) {
      if (control.owns(fd)) [[unlikely]] control.on_readable(fd, on_snapshot);
      else echo.serve(static_cast<dispatch::Slot>(fd));
    });
    if (count < 0 && errno != EINTR) return std::string("the wait failed: ") + std::strerror(errno);
    statistics.count_wait(count < 0 ? 0 : count);
  }
  print_line(servers::farewell_line(control.reason(), started, statistics, nullptr));
  return "";
}

template <class Mechanism>
std::string run_protocol(const Options& options, const servers::Identity& identity, servers::Control& control) {
  if (options.protocol == "tcp-echo") return Loop<Mechanism, servers::Echo>(options, control).run(identity);
  if (options.protocol == "http") return Loop<Mechanism, servers::Http>(options, control).run(identity);
  if (options.protocol == "udp-echo") return run_datagrams<Mechanism>(options, identity, control);
  return "the baseline speaks tcp-echo, udp-echo and http, not '" + options.protocol + "'";
}

std::string run_baseline(const Options& options, const servers::Identity& identity) {
  if (options.workers > 1) return "the baseline is one thread: --workers are of the native server";
  if (options.busy_poll > 0) return "--busy-poll is of the native server";
  if (options.least_wait > 0) return "--least-wait is of servers on our pollers, and not of the baseline";
  servers::Control control;
  if (const std::string fault = servers::prepare(options, control); !fault.empty()) return fault;
  if (options.backend == "select") return run_protocol<programs::RawSelect>(options, identity, control);
  if (options.backend == "poll") return run_protocol<programs::RawPoll>(options, identity, control);
#if defined(__linux__)
  if (options.backend == "epoll") return run_protocol<programs::RawEpoll>(options, identity, control);
  return "there is a baseline for select, poll and epoll, not for '" + options.backend + "'";
#else
  if (options.backend == "kqueue") return run_protocol<programs::RawKqueue>(options, identity, control);
  return "there is a baseline for select, poll and kqueue, not for '" + options.backend + "'";
#endif
}

}  // namespace

int main(int argc, char** argv) {
  return programs::run_program(argc, argv, "dispatchbench-baseline", "baseline", run_baseline);
}
