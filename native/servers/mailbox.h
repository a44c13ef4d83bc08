// Between a worker of a server and the thread that speaks for all of them: questions come in through a pipe that the worker
// watches with its sockets, answers are copies, so that neither thread reads what the other one writes.
#pragma once

#include <condition_variable>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "dispatch/facts.h"
#include "servers/statistics.h"

namespace servers {

/// What a worker got when it began.
struct Start {
  std::string fault;  ///< one sentence when it cannot serve
  dispatch::Capabilities capabilities = {};
  std::string busy_poll = {};  ///< see busy_poll.h
};

/// What a worker has done so far.
struct Account {
  Statistics statistics;
  dispatch::Counters counters;
};

class Mailbox {
 public:
  Mailbox() = default;
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Opens the pipe; returns 0 or an errno.
  int open() noexcept;

  // Of the worker: what turn_until_stopped asks of a channel, and three things to say.

  std::span<const int> descriptors() const noexcept { return {ends_, 1}; }
  bool owns(int fd) const noexcept { return fd == ends_[0]; }
  bool stopping() const noexcept { return stopping_; }
  /// Reads what there is. Calls `on_question("")` for a question, which has to answer it.
  template <class OnQuestion>
  void on_readable(int, const OnQuestion& on_question) {
    for (int word = next(); word != kNothing; word = next()) {
      if (word == kStop) stopping_ = true;
      else on_question(std::string_view{});
    }
  }
  /// It serves, or cannot.
  void started(const Start& start);
  void answer(const Account& account);
  /// It serves no more, and these are its last figures. One sentence when that was nobody's wish.
  void ended(const std::string& fault, const Account& account);

  // Of the other thread.

  /// Waits until the worker serves, or cannot.
  Start await_start();
  /// Asks, and waits for the answer; of a worker that has ended, its last one.
  Account ask();
  void stop() noexcept { put(kStop); }
  /// Waits until it has ended.
  Account await_end(std::string& fault);

 private:
  static constexpr int kNothing = -1;
  static constexpr char kQuestion = '?';
  static constexpr char kStop = '.';

  int next() noexcept;
  void put(char word) noexcept;

  int ends_[2] = {-1, -1};
  bool stopping_ = false;  // the worker's own

  std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;
  bool ended_ = false;
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  Start start_;
  std::string fault_;
  Account account_;
};

}  // namespace servers
