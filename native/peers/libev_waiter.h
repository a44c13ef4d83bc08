// Waiting by libev: one ev_io watcher for each pair, whose changes libev hands to the kernel at the next turn. A turn is
// ev_run(EVRUN_ONCE). See cost/waiter.h.
#pragma once

#include <ev.h>

#include <cstdint>

#include "peers/counted_calls.h"
#include "peers/watches.h"

namespace peers {

class LibevWaiter {
 public:
  /// `backend`: one of EVBACKEND_...
  explicit LibevWaiter(unsigned backend) : loop_(ev_loop_new(backend | EVFLAG_NOENV)) {}
  ~LibevWaiter() {
    if (loop_ != nullptr) ev_loop_destroy(loop_);
  }
  LibevWaiter(const LibevWaiter&) = delete;
  LibevWaiter& operator=(const LibevWaiter&) = delete;

  bool open() const noexcept { return loop_ != nullptr; }

  int watch(int fd, std::uint32_t pair) {
    Watch& watch = watches_.make(pair);
    watch.handler = &handler_;
    watch.pair = pair;
    ev_io_init(&watch.io, on_event, fd, EV_READ);
    watch.io.data = &watch;
    ev_io_start(loop_, &watch.io);
    return 0;
  }
  int writes(std::uint32_t pair, bool on) {
    ev_io& io = watches_[pair].io;
    ev_io_stop(loop_, &io);
    ev_io_modify(&io, on ? EV_READ | EV_WRITE : EV_READ);
    ev_io_start(loop_, &io);
    return 0;
  }
  int unwatch(std::uint32_t pair) {
    ev_io_stop(loop_, &watches_[pair].io);
    return 0;
  }

  template <class Handle>
  int wait(Handle handle) {
    handler_.set(handle);
    const Turn turn;
    ev_run(loop_, EVRUN_ONCE);
    return 0;
  }

  bool repeats() const noexcept { return true; }
  cost::Effort effort() const noexcept { return calls_so_far(); }

 private:
  struct Watch {
    ev_io io{};
    const Handler* handler = nullptr;
    std::uint32_t pair = 0;
  };

  static void on_event(struct ev_loop*, ev_io* io, int) {
    const Watch& watch = *static_cast<Watch*>(io->data);
    (*watch.handler)(watch.pair);
  }

  struct ev_loop* loop_;
  Handler handler_;
  Watches<Watch> watches_;
};

}  // namespace peers
