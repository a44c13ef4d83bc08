#include "servers/mailbox.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace servers {

Mailbox::~Mailbox() {
  for (const int fd : ends_) {
    if (fd >= 0) close(fd);
  }
}

int Mailbox::open() noexcept {
  if (pipe(ends_) != 0) return errno;
  for (const int fd : ends_) fcntl(fd, F_SETFD, FD_CLOEXEC);
  // Read until it is empty, as an edge-triggered mechanism needs it.
  fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  return 0;
}

int Mailbox::next() noexcept {
  char word = 0;
  ssize_t n = 0;
  do n = read(ends_[0], &word, 1);
  while (n < 0 && errno == EINTR);
  return n == 1 ? word : kNothing;
}

void Mailbox::put(char word) noexcept {
  while (write(ends_[1], &word, 1) < 0 && errno == EINTR) {}
}

void Mailbox::started(const Start& start) {
  const std::lock_guard lock(mutex_);
  started_ = true;
  start_ = start;
  changed_.notify_all();
}

void Mailbox::answer(const Account& account) {
  const std::lock_guard lock(mutex_);
  account_ = account;
  answered_ = asked_;
  changed_.notify_all();
}

void Mailbox::ended(const std::string& fault, const Account& account) {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  fault_ = fault;
  account_ = account;
  changed_.notify_all();
}

Start Mailbox::await_start() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return started_; });
  return start_;
}

Account Mailbox::ask() {
  std::unique_lock lock(mutex_);
  ++asked_;
  put(kQuestion);
  changed_.wait(lock, [this] { return ended_ || answered_ == asked_; });
  return account_;
}

Account Mailbox::await_end(std::string& fault) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_; });
  fault = fault_;
  return account_;
}

}  // namespace servers
