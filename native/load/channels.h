// Requests in flight on every connection: sends what it is given, reads and checks the replies in order, ends what
// takes too long. Does not decide when to send: whoever owns it does, and hears of every end of a request.
// One send(2) and one recv(2) a request, no change of interest unless the kernel's send buffer is full.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dispatch/poller.h"
#include "load/clock.h"
#include "load/dialer.h"
#include "load/errors.h"
#include "load/exchange.h"

namespace load {

struct Request {
  Nanoseconds intended = 0;  ///< when the schedule wanted it (closed loop: when it was sent)
  Nanoseconds sent = 0;      ///< clock just before the first attempt to send it
};

class ChannelListener {
 public:
  virtual ~ChannelListener() = default;
  /// The reply was read whole at `at`. May give the channel its next request.
  virtual void replied(std::uint32_t id, const Request& request, Nanoseconds at, Verdict verdict) = 0;
  /// The request will get no reply.
  virtual void lost(const Request& request, ErrorKind kind) = 0;
  /// The connection ended and is being opened again.
  virtual void ended(std::uint32_t id) = 0;
  /// Bytes came that no request asked for; the connection ends.
  virtual void unsolicited() = 0;
};

class Channels {
 public:
  Channels(dispatch::Poller& poller, Dialer& dialer, std::unique_ptr<Exchange> exchange, std::uint32_t pipelining,
           Nanoseconds timeout, ChannelListener& listener);

  /// A connection has been opened: its channel begins anew.
  void opened(std::uint32_t id);
  bool can_take(std::uint32_t id) const noexcept {
    return dialer_.standing(id) && !channels_[id].closing && channels_[id].outstanding < pipelining_;
  }
  /// Gives a channel that can_take() one more request; flush() sends.
  void take(std::uint32_t id, const Request& request) noexcept;
  void flush(std::uint32_t id);
  /// Takes an event of a standing connection; flushes what the listener gave meanwhile.
  void on_event(std::uint32_t id, const dispatch::Event& event);
  /// Looks at some channels and ends those whose oldest request was sent longer ago than the timeout.
  void sweep(Nanoseconds now);
  /// Gives up all requests in flight as timeouts.
  void abandon();

  std::uint64_t outstanding() const noexcept { return outstanding_; }
  std::uint64_t bytes_in() const noexcept { return bytes_in_; }
  std::uint64_t bytes_out() const noexcept { return bytes_out_; }

 private:
  static constexpr std::size_t kBuffer = 65536;
  static constexpr std::uint32_t kSweepSlice = 256;
  struct Channel {
    std::uint32_t sequence = 0;     // of the next request to be sent
    std::uint32_t sent_bytes = 0;   // of the request being sent
    std::uint16_t first = 0;        // oldest request in the ring
    std::uint16_t outstanding = 0;  // requests in the ring
    std::uint16_t unsent = 0;       // of these, not yet given to the kernel whole
    bool blocked = false;           // waits for room in the send buffer
    bool closing = false;           // carries no further request
  };

  Request& request(std::uint32_t id, std::uint32_t position) noexcept {
    return requests_[std::size_t{id} * pipelining_ + (channels_[id].first + position) % pipelining_];
  }
  Request pop(std::uint32_t id) noexcept;
  bool read(std::uint32_t id);
  void end(std::uint32_t id, ErrorKind kind);

  dispatch::Poller& poller_;
  Dialer& dialer_;
  std::unique_ptr<Exchange> exchange_;
  std::uint32_t pipelining_;
  Nanoseconds timeout_;
  ChannelListener& listener_;
  std::vector<Channel> channels_;
  std::vector<Request> requests_;  // a ring of `pipelining` for each channel
  std::vector<std::byte> in_, out_;
  std::uint64_t outstanding_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint32_t swept_ = 0;
  Nanoseconds next_sweep_ = 0;
};

}  // namespace load
