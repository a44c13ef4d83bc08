// A thread that works beside V8: started, watched and joined by its owner, stopped by a flag it looks at every turn.
#pragma once

#include <pthread.h>

#include <atomic>

namespace load {

class Worker {
 public:
  virtual ~Worker() = default;  // the most derived class joins in its own destructor: run() uses its members
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Starts the thread once; it inherits the CPU affinity of the caller. Returns 0 or an errno.
  int start();
  /// Asks it to end; it does within one of its turns (at most 20 ms).
  void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }
  /// Waits for its end. After that the results belong to the caller.
  void join();
  /// True once run() has returned: results can be read without join() blocking.
  bool finished() const noexcept { return finished_.load(std::memory_order_acquire); }

 protected:
  Worker() = default;
  virtual void run() = 0;
  bool stopping() const noexcept { return stop_.load(std::memory_order_relaxed); }

 private:
  pthread_t thread_{};
  bool started_ = false;
  std::atomic<bool> stop_{false};
  std::atomic<bool> finished_{false};
};

}  // namespace load
