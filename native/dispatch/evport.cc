// Event ports of illumos and Solaris, port_create(3C): a queue on which associated descriptors put their events.
//
// a) An event ends its association: the descriptor is silent until it is associated again (Poller::rearm). This is the
//    mechanism's nature and costs a call for each event.
// b) Associating anew takes back what was queued and not fetched, and looks at the state that holds.
// c) port_getn may bring events together with an error (ETIME, EINTR), and need not write the count then: the first
//    row tells whether there is one.
// d) Closing a descriptor ends its association without a word.
// e) Dissociating what has fired fails with ENOENT, which means nothing.
#if __has_include(<port.h>)
#include <port.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "dispatch/factories.h"
#include "dispatch/poll_bits.h"

namespace dispatch {
namespace {

static_assert(sizeof(void*) == 8, "the user's word holds slot and generation");

class EventPort final : public Backend {
 public:
  EventPort(Counters& counters, int port) noexcept : Backend(counters), port_(port) {}
  ~EventPort() override { ::close(port_); }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle fd, Token token, Interest, Interest wanted) noexcept override {
    if (wanted == Interest::none) {
      dissociate(fd);
      return 0;
    }
    ++counters_.change_calls;
    void* const user = reinterpret_cast<void*>(static_cast<std::uintptr_t>(token.generation) << 32 | token.slot);
    return ::port_associate(port_, PORT_SOURCE_FD, static_cast<std::uintptr_t>(fd), poll_bits(wanted), user) == 0
               ? 0
               : errno;
  }

  void forget(Handle fd, Token, Interest old) noexcept override {
    if (old != Interest::none) dissociate(fd);
  }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    if (rows_.size() < out.size()) rows_.resize(out.size());
    rows_[0].portev_source = 0;
    unsigned rows = 1;  // the least to wait for
    timespec storage;
    ++counters_.waits;
    const int result = ::port_getn(port_, rows_.data(), static_cast<unsigned>(out.size()), &rows,
                                   const_cast<timespec*>(timespec_of(timeout, storage)));
    const int error = result == 0 ? 0 : errno;
    if (rows_[0].portev_source == 0) rows = 0;
    if (rows == 0 && error != 0 && error != ETIME) {
      return {.interrupted = error == EINTR, .error = error == EINTR ? 0 : error};
    }
    counters_.raw_events += rows;
    for (unsigned i = 0; i < rows; ++i) {
      const auto token = reinterpret_cast<std::uintptr_t>(rows_[i].portev_user);
      out[i] = {static_cast<Slot>(token), static_cast<std::uint32_t>(token >> 32),
                flags_of_poll(static_cast<unsigned>(rows_[i].portev_events)), 0};
    }
    return {.count = static_cast<int>(rows), .saturated = rows == out.size()};
  }

 private:
  void dissociate(int fd) noexcept {
    ++counters_.change_calls;
    ::port_dissociate(port_, PORT_SOURCE_FD, static_cast<std::uintptr_t>(fd));
  }

  const int port_;
  const Capabilities capabilities_ = {
      .trigger = Trigger::oneshot,
      .wait_complexity = WaitComplexity::active,
      .timeout_resolution_ns = 1,
      .needs_rearm = true,
      .reports_read_closed = POLLRDHUP != 0,
      .wait_call = "port_getn",
  };
  std::vector<port_event_t> rows_;
};

}  // namespace

std::unique_ptr<Backend> make_evport(Counters& counters, int& error) {
  const int port = ::port_create();
  if (port < 0) {
    error = errno;
    return nullptr;
  }
  return std::make_unique<EventPort>(counters, port);
}

}  // namespace dispatch
#endif
