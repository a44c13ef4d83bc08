// Waiting by libuv: one uv_poll_t for each pair. A turn is uv_run(UV_RUN_ONCE). See cost/waiter.h.
#pragma once

#include <uv.h>

#include <cstdint>

#include "peers/counted_calls.h"
#include "peers/watches.h"

namespace peers {

class LibuvWaiter {
 public:
  LibuvWaiter() : opened_(uv_loop_init(&loop_)) {}
  ~LibuvWaiter() {
    if (opened_ != 0) return;
    watches_.each([](Watch& watch) { uv_close(reinterpret_cast<uv_handle_t*>(&watch.poll), nullptr); });
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  LibuvWaiter(const LibuvWaiter&) = delete;
  LibuvWaiter& operator=(const LibuvWaiter&) = delete;

  /// 0 or an errno.
  int open() const noexcept { return -opened_; }

  int watch(int fd, std::uint32_t pair) {
    Watch& watch = watches_.make(pair);
    watch.handler = &handler_;
    watch.pair = pair;
    watch.poll.data = &watch;
    if (const int error = uv_poll_init(&loop_, &watch.poll, fd)) return -error;
    return start(pair, UV_READABLE);
  }
  int writes(std::uint32_t pair, bool on) { return start(pair, on ? UV_READABLE | UV_WRITABLE : UV_READABLE); }
  /// Its memory is libuv's until the next turn.
  int unwatch(std::uint32_t pair) {
    uv_close(reinterpret_cast<uv_handle_t*>(&watches_.release(pair)->poll),
             [](uv_handle_t* handle) { delete static_cast<Watch*>(handle->data); });
    return 0;
  }

  template <class Handle>
  int wait(Handle handle) {
    handler_.set(handle);
    const Turn turn;
    uv_run(&loop_, UV_RUN_ONCE);
    return 0;
  }

  bool repeats() const noexcept { return true; }
  cost::Effort effort() const noexcept { return calls_so_far(); }

 private:
  struct Watch {
    uv_poll_t poll{};
    const Handler* handler = nullptr;
    std::uint32_t pair = 0;
  };

  int start(std::uint32_t pair, int events) { return -uv_poll_start(&watches_[pair].poll, events, on_event); }

  static void on_event(uv_poll_t* poll, int, int) {
    const Watch& watch = *static_cast<Watch*>(poll->data);
    (*watch.handler)(watch.pair);
  }

  uv_loop_t loop_;
  const int opened_;
  Handler handler_;
  Watches<Watch> watches_;
};

}  // namespace peers
