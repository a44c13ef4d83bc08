#include "load/channels.h"

#include <algorithm>

namespace load {

Channels::Channels(dispatch::Poller& poller, Dialer& dialer, std::unique_ptr<Exchange> exchange,
                   std::uint32_t pipelining, Nanoseconds timeout, ChannelListener& listener)
    : poller_(poller),
      dialer_(dialer),
      exchange_(std::move(exchange)),
      pipelining_(pipelining),
      timeout_(timeout),
      listener_(listener),
      channels_(dialer.connections()),
      requests_(std::size_t{dialer.connections()} * pipelining),
      in_(kBuffer),
      out_(std::max(kBuffer, exchange_->request_size())) {}

void Channels::opened(std::uint32_t id) {
  channels_[id] = {};
  exchange_->restart(id);
}

void Channels::take(std::uint32_t id, const Request& taken) noexcept {
  Channel& channel = channels_[id];
  request(id, channel.outstanding) = taken;
  ++channel.outstanding;
  ++channel.unsent;
  ++outstanding_;
}

Request Channels::pop(std::uint32_t id) noexcept {
  Channel& channel = channels_[id];
  const Request oldest = request(id, 0);
  channel.first = static_cast<std::uint16_t>((channel.first + 1) % pipelining_);
  --channel.outstanding;
  --outstanding_;
  return oldest;
}

void Channels::flush(std::uint32_t id) {
  Channel& channel = channels_[id];
  const std::size_t size = exchange_->request_size();
  while (channel.unsent > 0) {
    const std::size_t batch = std::min<std::size_t>(channel.unsent, out_.size() / size);
    for (std::size_t i = 0; i < batch; ++i) {
      exchange_->write_request(id, channel.sequence + static_cast<std::uint32_t>(i), &out_[i * size]);
    }
    const Bytes bytes = Bytes(out_).first(batch * size).subspan(channel.sent_bytes);
    const ssize_t sent = net::transmit(dialer_.handle(id), bytes);
    if (sent < 0 && !net::would_block(sent)) return end(id, classify(static_cast<int>(-sent)));
    const std::size_t done = channel.sent_bytes + static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    bytes_out_ += done - channel.sent_bytes;
    channel.sequence += static_cast<std::uint32_t>(done / size);
    channel.unsent = static_cast<std::uint16_t>(channel.unsent - done / size);
    channel.sent_bytes = static_cast<std::uint32_t>(done % size);
    if (static_cast<std::size_t>(std::max<ssize_t>(sent, 0)) < bytes.size()) break;
  }
  if (channel.blocked == (channel.unsent > 0)) return;
  channel.blocked = !channel.blocked;
  poller_.modify(dialer_.slot(id), channel.blocked ? dispatch::Interest::both : dispatch::Interest::read);
}

void Channels::on_event(std::uint32_t id, const dispatch::Event& event) {
  // Hang-ups and errors are read, too: what came before them counts, and recv(2) tells which it was.
  if ((event.flags & ~static_cast<std::uint32_t>(dispatch::writable)) != 0 && !read(id)) return;
  if (channels_[id].unsent > 0) flush(id);
}

/// False when the connection ended.
bool Channels::read(std::uint32_t id) {
  Channel& channel = channels_[id];
  const ssize_t received = net::receive(dialer_.handle(id), in_);
  if (net::would_block(received)) return true;
  // Read per reply, not per batch: a batch's time may lie before the end of a reply that came in pieces.
  const Nanoseconds now = monotonic_now();
  if (received <= 0) {
    if (received == 0 && channel.outstanding > 0) {
      const Verdict verdict = exchange_->finish(id).verdict;
      channel.closing = true;
      if (verdict != Verdict::broken) listener_.replied(id, pop(id), now, verdict);
    }
    end(id, received == 0 ? ErrorKind::closed : classify(static_cast<int>(-received)));
    return false;
  }
  bytes_in_ += static_cast<std::uint64_t>(received);
  Bytes bytes = Bytes(in_).first(static_cast<std::size_t>(received));
  while (!bytes.empty()) {
    if (channel.outstanding == channel.unsent) {
      listener_.unsolicited();
      end(id, ErrorKind::closed);
      return false;
    }
    const Reading reading = exchange_->read_reply(id, bytes);
    bytes = bytes.subspan(reading.used);
    if (reading.verdict == Verdict::incomplete) continue;
    channel.closing = reading.last;
    listener_.replied(id, pop(id), now, reading.verdict);
    if (reading.last) {
      end(id, ErrorKind::closed);
      return false;
    }
  }
  return true;
}

void Channels::end(std::uint32_t id, ErrorKind kind) {
  Channel& channel = channels_[id];
  channel.unsent = 0;
  while (channel.outstanding > 0) listener_.lost(pop(id), kind);
  dialer_.reopen(id);
  listener_.ended(id);
}

void Channels::sweep(Nanoseconds now) {
  if (now < next_sweep_ || outstanding_ == 0) return;
  next_sweep_ = now + kMillisecond;
  const auto count = static_cast<std::uint32_t>(channels_.size());
  for (std::uint32_t i = 0; i < std::min(kSweepSlice, count); ++i) {
    swept_ = (swept_ + 1) % count;
    if (channels_[swept_].outstanding > 0 && now - request(swept_, 0).sent > timeout_) {
      end(swept_, ErrorKind::timeout);
    }
  }
}

void Channels::abandon() {
  for (std::uint32_t id = 0; id < channels_.size(); ++id) {
    if (channels_[id].outstanding > 0) end(id, ErrorKind::timeout);
  }
}

}  // namespace load
