// WSAPoll of Windows: poll(2)'s array, of SOCKET handles; see poll.cc for what they have in common.
//
// a) Handles are no small numbers: the array is indexed by slot.
// b) An empty array is refused (WSAEINVAL): nothing to wait for is a pause.
// c) A connection that fails is reported only since Windows 10 2004; before, its socket stays silent.
// d) POLLPRI and unknown bits in `events` fail the whole call. There is no POLLRDHUP.
// e) A socket closed without forget() is flagged POLLNVAL; where all are, the call fails with WSAENOTSOCK and marks
//    none: each is asked then.
// f) Milliseconds. Nothing interrupts the call.
#ifdef _WIN32
#include "dispatch/factories.h"
#include "dispatch/handles.h"
#include "dispatch/poll_array.h"
#include "dispatch/winsock.h"

namespace dispatch {
namespace {

class WsaPoll final : public Backend {
 public:
  explicit WsaPoll(Counters& counters) noexcept : Backend(counters) {}

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle handle, Token token, Interest, Interest wanted) noexcept override {
    array_.set(handle, token, wanted);
    return 0;
  }

  void forget(Handle, Token token, Interest) noexcept override { array_.remove(token.slot); }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    const std::span<WSAPOLLFD> entries = array_.entries();
    if (entries.empty()) {
      pause(milliseconds_of(timeout));
      return {};
    }
    ++counters_.waits;
    int ready = ::WSAPoll(entries.data(), static_cast<ULONG>(entries.size()), milliseconds_of(timeout));
    if (ready < 0) {
      const int error = errno_of_winsock();
      if (error != EBADF) return {.error = error};
      ready = mark_closed(entries);
    }
    counters_.raw_events += static_cast<std::uint64_t>(ready);
    const std::size_t count = array_.collect(out, ready);
    return {.count = static_cast<int>(count), .saturated = count == out.size()};
  }

 private:
  static int mark_closed(std::span<WSAPOLLFD> entries) noexcept {
    int closed = 0;
    for (WSAPOLLFD& entry : entries) {
      entry.revents = is_open(entry.fd) ? SHORT{0} : SHORT{POLLNVAL};
      closed += entry.revents != 0;
    }
    return closed;
  }

  const Capabilities capabilities_ = {
      .trigger = Trigger::level,
      .wait_complexity = WaitComplexity::registered,
      .timeout_resolution_ns = 1'000'000,
      .wait_call = "WSAPoll",
  };
  PollArray<WSAPOLLFD> array_;
};

}  // namespace

std::unique_ptr<Backend> make_wsapoll(Counters& counters, int& error) {
  error = begin_winsock();
  if (error != 0) return nullptr;
  return std::make_unique<WsaPoll>(counters);
}

}  // namespace dispatch
#endif
