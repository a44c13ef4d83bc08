#include "migrate/encoder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace migrate {

Encoder::~Encoder() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    asked_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (const int end : ends_) {
    if (end >= 0) close(end);
  }
}

std::string Encoder::open(unsigned workers) {
  if (pipe(ends_) != 0) return std::string("cannot open a pipe: ") + std::strerror(errno);
  for (const int end : ends_) {
    fcntl(end, F_SETFL, O_NONBLOCK);
    fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  for (unsigned i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  return "";
}

void Encoder::ask(std::uint32_t block, Choice choice) {
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back({block, choice});
  }
  changed_.notify_one();
}

void Encoder::take(std::deque<Frame>& made) {
  char told[64];
  while (read(ends_[0], told, sizeof told) > 0) {
  }
  const std::lock_guard lock(mutex_);
  for (Frame& frame : made_) made.push_back(std::move(frame));
  made_.clear();
}

void Encoder::work() {
  const auto bench = std::make_unique<Workbench>();
  for (std::unique_lock lock(mutex_);;) {
    changed_.wait(lock, [this] { return ending_ || !asked_.empty(); });
    if (ending_) return;
    const Order order = asked_.front();
    asked_.pop_front();
    lock.unlock();
    Frame frame = source_.frame(order.block, order.choice, *bench);
    lock.lock();
    made_.push_back(std::move(frame));
    // A full pipe tells as well.
    [[maybe_unused]] const ssize_t written = write(ends_[1], "", 1);
  }
}

}  // namespace migrate
