#include "servers/workers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <thread>
#include <vector>

#include "process/clock.h"
#include "process/json_line.h"
#include "servers/busy_poll.h"
#include "servers/mailbox.h"
#include "servers/tcp_server.h"
#include "servers/turns.h"

namespace servers {
namespace {

using process::print_line;

/// The listening sockets: one, or one for each worker.
class Listeners {
 public:
  Listeners() = default;
  ~Listeners() {
    for (const int fd : sockets_) close(fd);
  }
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  std::string open(const Options& options) {
    const bool spread = options.accept == "reuseport";
    const int backlog = static_cast<int>(options.backlog);
    net::Address address = options.address;
    for (std::uint32_t i = 0; i < (spread ? options.workers : 1); ++i) {
      const int fd = spread ? net::listen_tcp_spread(address, backlog) : net::listen_tcp(address, backlog);
      if (fd == -ENOTSUP) return "this system does not spread connections over several sockets of one port: --accept shared";
      if (fd < 0) return net::listen_refusal(address, -fd);
      sockets_.push_back(fd);
      address.set_port(net::local_address(fd).port());  // where any free one was asked for, all have the first one's
    }
    return "";
  }

  int of(std::size_t worker) const noexcept { return sockets_[worker % sockets_.size()]; }

 private:
  std::vector<int> sockets_;
};

/// What a worker's thread does, from its poller to its last figures.
template <class Protocol>
void work(const Options& options, int listener, Mailbox& mailbox) {
  Start start;
  const auto poller = open_poller(options, mailbox.descriptors(), start.fault);
  if (poller == nullptr) return mailbox.started(start);
  start.capabilities = poller->capabilities();
  Account account;
  TcpServer<Protocol> server(*poller, options, account.statistics);
  start.fault = server.open(listener, options.accept == "exclusive");
  if (start.fault.empty()) start.fault = poll_busily(*poller, listener, options, start.busy_poll);
  mailbox.started(start);
  if (!start.fault.empty()) return;
  const auto now = [&] {
    account.counters = poller->counters();
    return account;
  };
  const std::string fault = turn_until_stopped(*poller, mailbox, server, account.statistics, options,
                                               [&](std::string_view) { mailbox.answer(now()); });
  mailbox.ended(fault, now());
}

using Work = void (*)(const Options&, int listener, Mailbox&);

/// All workers, from their start to their end.
class Crew {
 public:
  explicit Crew(const Options& options) : options_(options) {
    // Together they refuse what one would.
    options_.max_connections = std::max(options.max_connections / options.workers, 1u);
  }
  ~Crew() {
    end();
    for (const int fd : news_) {
      if (fd >= 0) close(fd);
    }
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Returns one sentence when one of them cannot serve.
  std::string start(Work work, const Listeners& listeners) {
    if (open_news() != 0) return "no pipe for the workers: " + std::string(std::strerror(errno));
    for (std::uint32_t i = 0; i < options_.workers; ++i) {
      if (const int error = mailboxes_.emplace_back().open()) {
        mailboxes_.pop_back();
        return "no pipe for a worker: " + std::string(std::strerror(error));
      }
    }
    // Signals are for the thread that waits for the control channel.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (std::size_t i = 0; i < mailboxes_.size(); ++i) {
      threads_.emplace_back([this, work, i, listener = listeners.of(i)] {
        work(options_, listener, mailboxes_[i]);
        if (write(news_[1], "", 1) < 0) {}  // a full pipe says the same
      });
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    std::string fault;
    for (Mailbox& mailbox : mailboxes_) {
      one_ = mailbox.await_start();
      if (fault.empty()) fault = one_.fault;
    }
    return fault;
  }

  /// What one of them got; all are alike.
  const Start& one() const noexcept { return one_; }
  /// Readable when a worker has ended.
  int news() const noexcept { return news_[0]; }

  std::vector<Account> accounts() {
    std::vector<Account> all;
    for (Mailbox& mailbox : mailboxes_) all.push_back(mailbox.ask());
    return all;
  }

  /// Tells all of them to stop, and waits for their last figures. `fault`: of the first that ended by itself.
  std::vector<Account> stop(std::string& fault) {
    for (Mailbox& mailbox : mailboxes_) mailbox.stop();
    std::vector<Account> all;
    for (Mailbox& mailbox : mailboxes_) {
      std::string own;
      all.push_back(mailbox.await_end(own));
      if (fault.empty()) fault = own;
    }
    return all;
  }

 private:
  int open_news() noexcept {
    if (pipe(news_) != 0) return -1;
    for (const int fd : news_) {
      fcntl(fd, F_SETFD, FD_CLOEXEC);
      fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return 0;
  }

  void end() {
    for (Mailbox& mailbox : mailboxes_) mailbox.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  Options options_;
  std::deque<Mailbox> mailboxes_;  // which do not move
  std::vector<std::thread> threads_;
  Start one_;
  int news_[2] = {-1, -1};
};

/// Sums, and the figures of each beside them.
struct Figures {
  explicit Figures(const std::vector<Account>& all) {
    for (const Account& one : all) {
      sums.statistics += one.statistics;
      sums.counters += one.counters;
      each.push_back(one.statistics);
    }
  }
  Account sums;
  std::vector<Statistics> each;
};

/// Waits for the control channel until it says stop, or a worker has ended.
void speak_for(Crew& crew, Control& control) {
  const auto on_snapshot = [&crew](std::string_view id) {
    const Figures now(crew.accounts());
    print_line(snapshot_line(id, now.sums.statistics, &now.sums.counters, now.each));
  };
  std::vector<pollfd> watched = {{crew.news(), POLLIN, 0}};
  for (const int fd : control.descriptors()) watched.push_back({fd, POLLIN, 0});
  while (!control.stopping()) {
    if (poll(watched.data(), static_cast<nfds_t>(watched.size()), -1) <= 0) continue;
    if (watched[0].revents != 0) return;
    for (std::size_t i = 1; i < watched.size(); ++i) {
      if (watched[i].revents != 0) control.on_readable(watched[i].fd, on_snapshot);
    }
  }
}

}  // namespace

std::string serve_by_workers(Control& control, const Options& options, Identity identity) {
  const std::int64_t started = process::monotonic_now();
  Listeners listeners;  // closed after all workers have forgotten them
  if (std::string fault = listeners.open(options); !fault.empty()) return fault;
  Crew crew(options);
  const Work work_of = options.protocol == "http" ? work<Http> : work<Echo>;
  if (std::string fault = crew.start(work_of, listeners); !fault.empty()) return fault;
  identity.busy_poll = crew.one().busy_poll;
  print_line(hello_line(options, identity, &crew.one().capabilities, listeners.of(0)));
  speak_for(crew, control);
  std::string fault;
  const Figures last(crew.stop(fault));
  print_line(farewell_line(fault.empty() ? control.reason() : "error", started, last.sums.statistics, &last.sums.counters,
                           last.each));
  return fault;
}

}  // namespace servers
