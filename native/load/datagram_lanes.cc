#include "load/datagram_lanes.h"

#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace load {

namespace {

constexpr std::uint32_t kNoFlow = ~std::uint32_t{0};

DatagramFormat make_format(const DatagramConfig& config, std::span<const std::uint8_t> payload) {
  if (!config.echo) return DatagramFormat(config.expected);
  return DatagramFormat(config.size, static_cast<std::uint32_t>(config.seed), payload);
}

/// What follows the header, the same in every datagram of a run.
std::vector<std::uint8_t> make_payload(const DatagramConfig& config, std::size_t bytes) {
  std::vector<std::uint8_t> payload(bytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    payload[i] = config.body.empty() ? static_cast<std::uint8_t>(i) : config.body[i % config.body.size()];
  }
  return payload;
}

std::size_t header_of(const DatagramConfig& config) {
  return config.echo ? header_bytes(identity_of(config.size)) : 0;
}

}  // namespace

DatagramLanes::DatagramLanes(const DatagramConfig& config, std::uint32_t worker, DatagramRecorder& recorder)
    : config_(config),
      layout_(config),
      worker_(worker),
      keep_times_(!config.open_loop || !config.echo || identity_of(config.size) != Identity::full),
      recorder_(recorder),
      send_size_(config.size),
      format_(make_format(config, make_payload(config, config.size - header_of(config)))),
      out_(kBatch, config.size),
      in_(kBatch, std::max(config.size, config.expected.size())) {
  const std::vector<std::uint8_t> payload = make_payload(config, config.size - header_of(config));
  for (std::size_t slot = 0; slot < kBatch; ++slot) {
    std::copy(payload.begin(), payload.end(), out_.data(slot) + header_of(config));
  }
}

DatagramLanes::~DatagramLanes() {
  for (const Socket& socket : sockets_) {
    if (socket.fd != dispatch::kNoHandle) close(socket.fd);
  }
}

int DatagramLanes::open(std::string& what) {
  if (!layout_.connected) by_port_.assign(config_.ports, kNoFlow);
  for (std::uint32_t s = worker_; s < config_.sockets; s += config_.workers) {
    const auto index = static_cast<std::uint32_t>(sockets_.size());
    Socket& socket = sockets_.emplace_back();
    const int fd = net::open_udp(config_.local, {config_.receive_buffer, config_.send_buffer, true});
    if (fd < 0) {
      what = "cannot open client socket " + std::to_string(s + 1) + " of " + std::to_string(config_.sockets);
      return -fd;
    }
    socket.fd = fd;
    for (std::uint32_t f = s; f < layout_.flows; f += config_.sockets) {
      const std::uint32_t offset = f % config_.ports;
      net::Address target = config_.target;
      target.set_port(static_cast<std::uint16_t>(config_.target.port() + offset));
      if (!layout_.connected) by_port_[offset] = flows();
      socket.flows.push_back(flows());
      flows_.emplace_back(f, index, target, FlowLedger(format_.identity(), keep_times_));
    }
    if (!layout_.connected) continue;
    const net::Address& target = flows_.back().target;
    if (connect(fd, target.raw(), target.length) != 0) {
      what = "cannot address " + target.host() + ":" + std::to_string(target.port());
      return errno;
    }
  }
  return 0;
}

int DatagramLanes::watch(dispatch::Poller& poller) {
  for (std::uint32_t index = 0; index < sockets(); ++index) {
    dispatch::Slot slot = dispatch::kNoSlot;
    if (const int error = poller.add(sockets_[index].fd, dispatch::Interest::read, slot); error != 0) return error;
    if (slot >= by_slot_.size()) by_slot_.resize(std::size_t{slot} + 1);
    by_slot_[slot] = index;
  }
  return 0;
}

int DatagramLanes::block(Nanoseconds limit) noexcept {
  const int fd = sockets_.front().fd;
  const timeval time{static_cast<time_t>(limit / kSecond), static_cast<suseconds_t>(limit % kSecond / kMicrosecond)};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) != 0) return errno;
  return fcntl(fd, F_SETFL, 0) == 0 ? 0 : errno;
}

void DatagramLanes::queue(std::uint32_t flow, Nanoseconds intended) {
  const std::uint32_t index = flows_[flow].socket;
  Socket& socket = sockets_[index];
  if (socket.queue.empty()) waiting_.push_back(index);
  socket.queue.push_back({flow, intended});
  ++socket.outstanding;
  ++queued_;
}

std::size_t DatagramLanes::send_batch(Socket& socket, int& error) {
  const std::size_t count = std::min(socket.queue.size(), kBatch);
  const Nanoseconds now = monotonic_now();
  for (std::size_t i = 0; i < count; ++i) {
    Flow& flow = flows_[socket.queue[i].flow];
    const Nanoseconds intended = socket.queue[i].intended;
    format_.write(out_.data(i), {flow.id, flow.ledger.send(intended, now), intended, now});
    out_.prepare(i, send_size_, layout_.connected ? nullptr : &flow.target);
  }
  ++send_calls_;
  const int result = out_.send(socket.fd, 0, count);
  error = result < 0 ? -result : 0;
  const std::size_t sent = result < 0 ? 0 : static_cast<std::size_t>(result);
  for (std::size_t i = count; i-- > sent;) flows_[socket.queue[i].flow].ledger.unsend();
  if (config_.open_loop) {
    for (std::size_t i = 0; i < sent; ++i) recorder_.lag(now - socket.queue[i].intended);
  }
  recorder_.sent(sent, sent * send_size_, now);
  return sent;
}

void DatagramLanes::flush(Socket& socket) {
  while (!socket.queue.empty()) {
    int error = 0;
    std::size_t done = send_batch(socket, error);
    if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS) {
      ++send_stalls_;
      return;  // still due: it goes out, late, when there is room
    }
    // The error may belong to a datagram sent before; then this one has not been tried yet.
    if (error != 0 && take_errors(socket, error) == 0) {
      ++send_errors_;
      free_one(flows_[socket.queue.front().flow]);
      done = 1;
    }
    socket.queue.erase(socket.queue.begin(), socket.queue.begin() + static_cast<std::ptrdiff_t>(done));
    queued_ -= done;
  }
}

bool DatagramLanes::flush(Nanoseconds until) {
  std::size_t kept = 0;
  bool in_time = true;
  for (const std::uint32_t index : waiting_) {
    in_time = in_time && monotonic_now() < until;
    if (in_time) flush(sockets_[index]);
    if (!sockets_[index].queue.empty()) waiting_[kept++] = index;
  }
  waiting_.resize(kept);
  return in_time;
}

std::uint32_t DatagramLanes::holds(std::uint32_t socket) const noexcept {
  // The kernel accounts its own structures with every datagram: Linux takes about so much for the smallest.
  constexpr std::size_t kOverhead = 704;
  int bytes = 0;
  socklen_t length = sizeof bytes;
  if (getsockopt(sockets_[socket].fd, SOL_SOCKET, SO_RCVBUF, &bytes, &length) != 0 || bytes <= 0) return 1;
  return static_cast<std::uint32_t>(std::max<std::size_t>(1, static_cast<std::size_t>(bytes) / (send_size_ + kOverhead)));
}

void DatagramLanes::free_one(Flow& flow) {
  --sockets_[flow.socket].outstanding;
  freed_.push_back(flow.socket);
}

DatagramLanes::Flow* DatagramLanes::flow_at(Socket& socket, std::uint16_t port) noexcept {
  if (layout_.connected) return &flows_[socket.flows.front()];
  const auto offset = static_cast<std::uint16_t>(port - config_.target.port());
  if (offset >= config_.ports || by_port_[offset] == kNoFlow) return nullptr;
  Flow& flow = flows_[by_port_[offset]];
  return &sockets_[flow.socket] == &socket ? &flow : nullptr;
}

void DatagramLanes::book(Socket& socket, std::size_t slot, Nanoseconds now) {
  recorder_.arrived(in_.length(slot), now);
  Flow* flow = flow_at(socket, net::port_of(in_.peer(slot)));
  const DatagramFormat::Reading reading = format_.read(in_.data(slot), in_.length(slot), in_.truncated(slot));
  if (flow == nullptr || (reading.identified && reading.stamp.flow != flow->id)) {
    ++recorder_.counts.foreign;
    return;
  }
  const FlowLedger::Receipt receipt = flow->ledger.receive(reading, now, config_.timeout, recorder_.counts);
  if (receipt.settled) free_one(*flow);
  if (receipt.answered) recorder_.answered(flow->id, flow->figures, receipt, now);
}

std::size_t DatagramLanes::receive(std::uint32_t index, int flags) {
  Socket& socket = sockets_[index];
  ++receive_calls_;
  const int got = in_.receive(socket.fd, kBatch, flags);
  if (got < 0) return net::would_block(got) ? 0 : take_errors(socket, -got);
  const Nanoseconds now = monotonic_now();
  for (std::size_t slot = 0; slot < static_cast<std::size_t>(got); ++slot) book(socket, slot, now);
  return static_cast<std::size_t>(got);
}

std::size_t DatagramLanes::take_errors(Socket& socket, int error) {
  std::size_t taken = 0;
  net::DatagramError detail;
  // in_ holds no unread datagram between two calls of receive().
  for (; net::take_datagram_error(socket.fd, detail, in_.data(0), in_.slot_bytes()); ++taken) {
    Flow* flow = flow_at(socket, net::port_of(detail.target));
    if (flow == nullptr) continue;
    ++recorder_.counts.unreachable;
    const DatagramFormat::Reading reading = format_.read(in_.data(0), detail.length, false);
    const bool identified = reading.identified && reading.stamp.flow == flow->id;
    if (flow->ledger.settle(identified, reading.stamp.sequence)) free_one(*flow);
  }
  if (taken > 0 || error != ECONNREFUSED) return taken;
  // No queue of errors on this system, or it was full: all that is known is that one datagram was refused.
  ++recorder_.counts.unreachable;
  return 1;
}

std::uint64_t DatagramLanes::expire(Nanoseconds limit) {
  std::uint64_t expired = 0;
  for (Flow& flow : flows_) {
    for (std::uint64_t left = flow.ledger.expire(limit); left > 0; --left, ++expired) free_one(flow);
  }
  return expired;
}

void DatagramLanes::add_to(DatagramOutcome& outcome) const {
  outcome.send_calls += send_calls_;
  outcome.receive_calls += receive_calls_;
  outcome.send_errors += send_errors_;
  outcome.send_stalls += send_stalls_;
  for (const Socket& socket : sockets_) {
    const std::int64_t drops = net::socket_drops(socket.fd);
    if (drops >= 0) outcome.client_drops = std::max<std::int64_t>(outcome.client_drops, 0) + drops;
  }
  for (const Flow& flow : flows_) {
    outcome.flows.push_back({flow.target.port(), flow.id % config_.sockets, flow.ledger.sent(), flow.ledger.received(),
                             flow.figures.latency_sum, flow.figures.latency_max, flow.figures.jitter});
  }
}

}  // namespace load
