// Waiting by libevent: one persistent event for reading, and a second one while writing is asked for, as its own
// bufferevents do. A turn is event_base_loop(EVLOOP_ONCE). See cost/waiter.h.
#pragma once

#include <event2/event.h>
#include <sys/select.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <string_view>

#include "peers/counted_calls.h"
#include "peers/watches.h"

namespace peers {

class LibeventWaiter {
 public:
  explicit LibeventWaiter(event_base* base)
      : base_(base), most_(std::string_view(event_base_get_method(base)) == "select" ? FD_SETSIZE : INT_MAX) {}
  ~LibeventWaiter() {
    watches_.each([](Watch& watch) { watch.end(); });
  }
  LibeventWaiter(const LibeventWaiter&) = delete;
  LibeventWaiter& operator=(const LibeventWaiter&) = delete;

  int watch(int fd, std::uint32_t pair) {
    if (fd >= most_) return ERANGE;
    Watch& watch = watches_.make(pair);
    watch.handler = &handler_;
    watch.pair = pair;
    watch.reads = event_new(base_, fd, EV_READ | EV_PERSIST, on_event, &watch);
    return watch.reads != nullptr && event_add(watch.reads, nullptr) == 0 ? 0 : EINVAL;
  }
  int writes(std::uint32_t pair, bool on) {
    Watch& watch = watches_[pair];
    if (watch.writes == nullptr) {
      watch.writes = event_new(base_, event_get_fd(watch.reads), EV_WRITE | EV_PERSIST, on_event, &watch);
      if (watch.writes == nullptr) return ENOMEM;
    }
    return (on ? event_add(watch.writes, nullptr) : event_del(watch.writes)) == 0 ? 0 : EINVAL;
  }
  int unwatch(std::uint32_t pair) {
    watches_[pair].end();
    return 0;
  }

  template <class Handle>
  int wait(Handle handle) {
    handler_.set(handle);
    const Turn turn;
    return event_base_loop(base_, EVLOOP_ONCE) == 0 ? 0 : EINVAL;
  }

  bool repeats() const noexcept { return true; }
  cost::Effort effort() const noexcept { return calls_so_far(); }

 private:
  struct Watch {
    const Handler* handler = nullptr;
    std::uint32_t pair = 0;
    event* reads = nullptr;
    event* writes = nullptr;

    /// Takes both out of the base.
    void end() noexcept {
      for (event** one : {&reads, &writes}) {
        if (*one != nullptr) event_free(*one);
        *one = nullptr;
      }
    }
  };

  static void on_event(evutil_socket_t, short, void* of) {
    const Watch& watch = *static_cast<Watch*>(of);
    (*watch.handler)(watch.pair);
  }

  event_base* const base_;
  const int most_;  // its sets for select are as long as they must be, but a fortified build ends the process beyond this
  Handler handler_;
  Watches<Watch> watches_;
};

}  // namespace peers
