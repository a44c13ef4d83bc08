#include "servers/tcp_server.h"

#include <unistd.h>

#include <utility>

namespace servers {

using dispatch::Handle;
using dispatch::Interest;
using dispatch::Slot;

// A peer that goes on sending after our FIN is cut off beyond this many bytes.
constexpr std::uint32_t kMostDrained = 1 << 20;

template <class Protocol>
TcpServer<Protocol>::~TcpServer() {
  for (Slot slot = 0; slot < connections_.size(); ++slot) {
    if (connections_[slot].phase != Phase::closed) close_connection(slot);
  }
}

template <class Protocol>
std::string TcpServer<Protocol>::open() {
  return opened(acceptor_.open());
}

template <class Protocol>
std::string TcpServer<Protocol>::open(Handle listening, bool exclusive) {
  return opened(acceptor_.open(listening, exclusive));
}

// After the acceptor has opened, or not: `fault`.
template <class Protocol>
std::string TcpServer<Protocol>::opened(std::string fault) {
  if (fault.empty()) make_room(acceptor_.slot());  // the listener has an entry too: it can be requeued
  return fault;
}

template <class Protocol>
void TcpServer<Protocol>::on_event(const dispatch::Event& event) {
  if (event.slot == acceptor_.slot()) {
    accept_some();
  } else {
    serve(event.slot, (event.flags & (dispatch::read_closed | dispatch::hangup)) != 0);
  }
}

template <class Protocol>
void TcpServer<Protocol>::resume() {
  const std::vector<dispatch::Token> now = std::exchange(requeued_, {});
  for (const auto [slot, generation] : now) {
    if (poller_.generation(slot) != generation) continue;  // closed since
    connections_[slot].requeued = false;
    if (slot == acceptor_.slot()) {
      accept_some();
    } else {
      serve(slot, true);  // whatever the event said is forgotten: read until there is nothing
    }
  }
}

template <class Protocol>
void TcpServer<Protocol>::accept_some() {
  const bool more = acceptor_.accept_some([this](Slot slot) {
    make_room(slot);
    connections_[slot].phase = Phase::open;
  });
  if (more) requeue(acceptor_.slot());
}

template <class Protocol>
void TcpServer<Protocol>::make_room(Slot slot) {
  const std::size_t needed = slot;
  if (needed >= connections_.size()) connections_.resize(needed + needed / 2 + 64);
}

template <class Protocol>
void TcpServer<Protocol>::serve(Slot slot, bool peer_finished) {
  Connection& connection = connections_[slot];
  if (connection.output != nullptr) {
    flush(slot, connection);
    return;
  }
  const Handle handle = poller_.handle(slot);
  const std::span window(window_.get(), kReceiveWindow);
  for (std::uint32_t reads = 1;; ++reads) {
    const ssize_t n = net::receive(handle, window);
    if (net::would_block(n)) break;
    if (n <= 0) {
      close_connection(slot);
      return;
    }
    const auto received = static_cast<std::size_t>(n);
    statistics_.bytes_in += received;
    if (!take(slot, connection, window.first(received))) return;
    if (received < kReceiveWindow && !peer_finished) break;
    if (reads == budgets_.reads) {
      if (edge_) requeue(slot);
      break;
    }
  }
  if (needs_rearm_) poller_.rearm(slot);
}

// Answers what was received. False when the connection is closed or waits for room to send.
template <class Protocol>
bool TcpServer<Protocol>::take(Slot slot, Connection& connection, std::span<const std::byte> received) {
  if (connection.phase == Phase::draining) {
    connection.drained += static_cast<std::uint32_t>(received.size());
    if (connection.drained <= kMostDrained) return true;
    close_connection(slot);
    return false;
  }
  const Reply reply = protocol_.answer(connection.state, received, statistics_);
  if (reply.bytes.empty()) return true;
  const std::size_t sent = send_some(slot, reply.bytes);
  if (sent == kBroken) return false;
  if (reply.close) connection.phase = Phase::last_reply;
  if (sent == reply.bytes.size()) {
    if (reply.close) start_draining(slot, connection);
    return true;
  }
  connection.output = keep(reply, sent);
  watch(slot, Interest::write);
  return false;
}

template <class Protocol>
auto TcpServer<Protocol>::keep(const Reply& reply, std::size_t sent) -> std::unique_ptr<Kept> {
  auto kept = std::make_unique<Kept>();
  kept->unsent = reply.bytes.subspan(sent);
  if (reply.owner != Owner::program) {
    kept->copy.assign(kept->unsent.begin(), kept->unsent.end());
    kept->unsent = kept->copy;
  }
  return kept;
}

template <class Protocol>
void TcpServer<Protocol>::flush(Slot slot, Connection& connection) {
  Kept& kept = *connection.output;
  const std::size_t sent = send_some(slot, kept.unsent);
  if (sent == kBroken) return;
  kept.unsent = kept.unsent.subspan(sent);
  if (!kept.unsent.empty()) {
    if (needs_rearm_) poller_.rearm(slot);
    return;
  }
  connection.output.reset();
  if (connection.phase == Phase::last_reply) start_draining(slot, connection);
  watch(slot, Interest::read);  // reports at once what arrived meanwhile, on edge-triggered backends too
}

// Bytes the kernel took, 0 when it has no room; kBroken after closing the connection.
template <class Protocol>
std::size_t TcpServer<Protocol>::send_some(Slot slot, std::span<const std::byte> bytes) {
  const ssize_t n = net::transmit(poller_.handle(slot), bytes);
  if (n < 0) {
    if (net::would_block(n)) return 0;
    close_connection(slot);
    return kBroken;
  }
  statistics_.bytes_out += static_cast<std::uint64_t>(n);
  return static_cast<std::size_t>(n);
}

template <class Protocol>
void TcpServer<Protocol>::watch(Slot slot, Interest wanted) {
  if (poller_.modify(slot, wanted) != 0) close_connection(slot);
}

template <class Protocol>
void TcpServer<Protocol>::start_draining(Slot slot, Connection& connection) {
  shutdown(poller_.handle(slot), SHUT_WR);
  connection.phase = Phase::draining;
}

template <class Protocol>
void TcpServer<Protocol>::requeue(Slot slot) {
  Connection& connection = connections_[slot];
  if (std::exchange(connection.requeued, true)) return;
  requeued_.push_back({slot, poller_.generation(slot)});
}

template <class Protocol>
void TcpServer<Protocol>::close_connection(Slot slot) {
  const Handle handle = poller_.handle(slot);
  poller_.forget(slot);
  close(handle);
  connections_[slot] = Connection{};
  ++statistics_.closed;
}

template class TcpServer<Echo>;
template class TcpServer<Http>;

}  // namespace servers
