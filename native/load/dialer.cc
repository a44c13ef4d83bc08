#include "load/dialer.h"

#include <unistd.h>

namespace load {

Dialer::Dialer(const DialPlan& plan, dispatch::Poller& poller)
    : plan_(plan), poller_(poller), connections_(plan.connections), queue_(plan.connections) {
  for (std::uint32_t id = 0; id < plan.connections; ++id) queue_.push(id);
}

Dialer::~Dialer() {
  for (Connection& connection : connections_) {
    if (connection.slot != dispatch::kNoSlot) close(connection);
  }
}

void Dialer::dial(Nanoseconds now) {
  for (int i = 0; i < kBurst && !queue_.empty() && dialing_ < plan_.handshakes && now >= retry_at_; ++i) {
    if (!begin(queue_.pop(), monotonic_now())) break;
  }
  if (dialing_ == 0 || now < next_sweep_) return;
  next_sweep_ = now + plan_.timeout / 8;
  for (std::uint32_t id = 0; id < connections_.size(); ++id) {
    const Connection& connection = connections_[id];
    if (connection.state == State::dialing && now - connection.began > plan_.timeout) fail(id, ETIMEDOUT, now);
  }
}

bool Dialer::begin(std::uint32_t id, Nanoseconds now) {
  Connection& connection = connections_[id];
  connection.began = now;
  connection.state = State::dialing;
  ++dialing_;
  const net::Address* source = plan_.sources.empty() ? nullptr : &plan_.sources[id % plan_.sources.size()];
  const dispatch::Handle handle = net::connect_tcp(plan_.target, source);
  if (handle < 0) {
    fail(id, -handle, now);
    return false;
  }
  if (const int error = poller_.add(handle, dispatch::Interest::write, connection.slot); error != 0) {
    close(handle);
    fail(id, error, now);
    return false;
  }
  if (connection.slot >= id_by_slot_.size()) id_by_slot_.resize(std::size_t{connection.slot} + 1);
  id_by_slot_[connection.slot] = id;
  return true;
}

Dialer::Outcome Dialer::on_event(std::uint32_t id, Nanoseconds now) {
  Connection& connection = connections_[id];
  int error = net::take_error(handle(id));
  if (error == 0) error = poller_.modify(connection.slot, dispatch::Interest::read);
  if (error != 0) {
    fail(id, error, now);
    return Outcome::failed;
  }
  --dialing_;
  ++standing_;
  connection.state = State::standing;
  return Outcome::opened;
}

void Dialer::fail(std::uint32_t id, int error, Nanoseconds now) {
  Connection& connection = connections_[id];
  if (connection.slot != dispatch::kNoSlot) close(connection);
  --dialing_;
  connection.state = State::queued;
  queue_.push(id);
  retry_at_ = now + kRetryPause;
  last_error_ = error;
  ++failures_[static_cast<std::size_t>(classify(error))];
}

int Dialer::hopeless(Nanoseconds now) const noexcept {
  auto failed = [&](ErrorKind kind) { return failures_[static_cast<std::size_t>(kind)] > 0; };
  if (failed(ErrorKind::refused) || failed(ErrorKind::address_unavailable) ||
      failed(ErrorKind::descriptor_unavailable) || failed(ErrorKind::other)) {
    return last_error_;
  }
  return elapsed(now) > 2 * plan_.timeout ? ETIMEDOUT : 0;
}

void Dialer::reopen(std::uint32_t id) {
  Connection& connection = connections_[id];
  close(connection);
  --standing_;
  connection.state = State::queued;
  queue_.push(id);
}

void Dialer::close(dispatch::Handle handle) const noexcept {
  if (plan_.abortive) {
    const linger at_once{1, 0};
    ::setsockopt(handle, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ::close(handle);
}

void Dialer::close(Connection& connection) {
  const dispatch::Handle handle = poller_.handle(connection.slot);
  poller_.forget(connection.slot);
  close(handle);
  connection.slot = dispatch::kNoSlot;
}

}  // namespace load
