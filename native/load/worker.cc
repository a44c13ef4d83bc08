#include "load/worker.h"

#include <signal.h>

namespace load {

int Worker::start() {
  // Signals belong to the main thread: none may interrupt a measurement.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(
      &thread_, nullptr,
      [](void* self) -> void* {
        auto* worker = static_cast<Worker*>(self);
        worker->run();
        worker->finished_.store(true, std::memory_order_release);
        return nullptr;
      },
      this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  started_ = error == 0;
  return error;
}

void Worker::join() {
  if (!started_) return;
  started_ = false;
  pthread_join(thread_, nullptr);
}

}  // namespace load
