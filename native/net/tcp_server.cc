#include "net/tcp_server.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace net {

using dispatch::Interest;

// A peer that goes on sending after our FIN is cut off beyond this many bytes.
constexpr std::uint32_t kMostDrained = 1 << 20;

template <class Protocol>
TcpServer<Protocol>::~TcpServer() {
  for (std::size_t fd = 0; fd < connections_.size(); ++fd) {
    if (connections_[fd].phase != Phase::closed) close_connection(static_cast<int>(fd));
  }
  if (listener_ >= 0) {
    poller_.forget(listener_);
    close(listener_);
  }
}

template <class Protocol>
std::string TcpServer<Protocol>::open() {
  const int fd = listen_tcp(options_.address, options_.backlog);
  if (fd < 0) return listen_refusal(options_.address, -fd);
  listener_ = fd;
  make_room(fd);  // the listener has an entry too: it can be requeued
  const int error = poller_.add(fd, Interest::read);
  return error == 0 ? "" : "cannot watch the listener: " + std::string(std::strerror(error));
}

template <class Protocol>
void TcpServer<Protocol>::on_event(const dispatch::Event& event) {
  const int fd = static_cast<int>(event.slot);
  if (fd == listener_) {
    accept_some();
  } else {
    serve(fd, (event.flags & (dispatch::read_closed | dispatch::hangup)) != 0);
  }
}

template <class Protocol>
void TcpServer<Protocol>::resume() {
  const std::vector<Requeued> now = std::exchange(requeued_, {});
  for (const Requeued& entry : now) {
    if (poller_.generation(entry.fd) != entry.generation) continue;  // closed since
    connections_[static_cast<std::size_t>(entry.fd)].requeued = false;
    if (entry.fd == listener_) {
      accept_some();
    } else {
      serve(entry.fd, true);  // whatever the event said is forgotten: read until there is nothing
    }
  }
}

template <class Protocol>
void TcpServer<Protocol>::accept_some() {
  bool more = true;
  for (std::uint32_t i = 0; more && i < budgets_.accept; ++i) {
    const int fd = accept_connection(listener_);
    if (fd >= 0) {
      admit(fd);
    } else if (fd == -EMFILE || fd == -ENFILE) {
      more = spare_.turn_away_one(listener_);
      if (more) refuse(-1, "no descriptor is left (raise the limit: ulimit -n)");
    } else {
      more = fd == -ECONNABORTED || fd == -EINTR;
    }
  }
  if (more && edge_) requeue(listener_);
  if (needs_rearm_) poller_.rearm(listener_);
}

template <class Protocol>
void TcpServer<Protocol>::admit(int fd) {
  if (statistics_.connections() >= options_.max_connections) {
    refuse(fd, "the limit of --max-connections is reached");
    return;
  }
  if (const int error = poller_.add(fd, Interest::read)) {
    const std::string why = error == ERANGE ? std::string(poller_.entry().name) + " cannot watch descriptors beyond " +
                                                  std::to_string(poller_.capabilities().max_descriptor)
                                            : std::strerror(error);
    refuse(fd, why.c_str());
    return;
  }
  make_room(fd);
  connections_[static_cast<std::size_t>(fd)].phase = Phase::open;
  ++statistics_.accepted;
}

template <class Protocol>
void TcpServer<Protocol>::make_room(int fd) {
  const auto slot = static_cast<std::size_t>(fd);
  if (slot >= connections_.size()) connections_.resize(slot + slot / 2 + 64);
}

template <class Protocol>
void TcpServer<Protocol>::refuse(int fd, const char* why) {
  if (fd >= 0) close(fd);
  ++statistics_.rejected;
  if (explained_) return;
  explained_ = true;
  std::fprintf(stderr, "dispatchbench: a connection was refused: %s; this and later ones count as rejected\n", why);
}

template <class Protocol>
void TcpServer<Protocol>::serve(int fd, bool peer_finished) {
  Connection& connection = connections_[static_cast<std::size_t>(fd)];
  if (connection.output != nullptr) {
    flush(fd, connection);
    return;
  }
  const std::span window(window_.get(), kReceiveWindow);
  for (std::uint32_t reads = 1;; ++reads) {
    const ssize_t n = receive(fd, window);
    if (would_block(n)) break;
    if (n <= 0) {
      close_connection(fd);
      return;
    }
    const auto received = static_cast<std::size_t>(n);
    statistics_.bytes_in += received;
    if (!take(fd, connection, window.first(received))) return;
    if (received < kReceiveWindow && !peer_finished) break;
    if (reads == budgets_.reads) {
      if (edge_) requeue(fd);
      break;
    }
  }
  if (needs_rearm_) poller_.rearm(fd);
}

// Answers what was received. False when the connection is closed or waits for room to send.
template <class Protocol>
bool TcpServer<Protocol>::take(int fd, Connection& connection, std::span<const std::byte> received) {
  if (connection.phase == Phase::draining) {
    connection.drained += static_cast<std::uint32_t>(received.size());
    if (connection.drained <= kMostDrained) return true;
    close_connection(fd);
    return false;
  }
  const Reply reply = protocol_.answer(connection.state, received, statistics_);
  if (reply.bytes.empty()) return true;
  const std::size_t sent = send_some(fd, reply.bytes);
  if (sent == kBroken) return false;
  if (reply.close) connection.phase = Phase::last_reply;
  if (sent == reply.bytes.size()) {
    if (reply.close) start_draining(fd, connection);
    return true;
  }
  connection.output = std::make_unique<Kept>();
  connection.output->bytes.assign(reply.bytes.begin() + static_cast<std::ptrdiff_t>(sent), reply.bytes.end());
  watch(fd, Interest::write);
  return false;
}

template <class Protocol>
void TcpServer<Protocol>::flush(int fd, Connection& connection) {
  Kept& kept = *connection.output;
  const std::size_t sent = send_some(fd, std::span(kept.bytes).subspan(kept.sent));
  if (sent == kBroken) return;
  kept.sent += sent;
  if (kept.sent < kept.bytes.size()) {
    if (needs_rearm_) poller_.rearm(fd);
    return;
  }
  connection.output.reset();
  if (connection.phase == Phase::last_reply) start_draining(fd, connection);
  watch(fd, Interest::read);  // reports at once what arrived meanwhile, on edge-triggered backends too
}

// Bytes the kernel took, 0 when it has no room; kBroken after closing the connection.
template <class Protocol>
std::size_t TcpServer<Protocol>::send_some(int fd, std::span<const std::byte> bytes) {
  const ssize_t n = transmit(fd, bytes);
  if (n < 0) {
    if (would_block(n)) return 0;
    close_connection(fd);
    return kBroken;
  }
  statistics_.bytes_out += static_cast<std::uint64_t>(n);
  return static_cast<std::size_t>(n);
}

template <class Protocol>
void TcpServer<Protocol>::watch(int fd, Interest wanted) {
  if (poller_.modify(fd, wanted) != 0) close_connection(fd);
}

template <class Protocol>
void TcpServer<Protocol>::start_draining(int fd, Connection& connection) {
  shutdown(fd, SHUT_WR);
  connection.phase = Phase::draining;
}

template <class Protocol>
void TcpServer<Protocol>::requeue(int fd) {
  Connection& connection = connections_[static_cast<std::size_t>(fd)];
  if (std::exchange(connection.requeued, true)) return;
  requeued_.push_back({fd, poller_.generation(fd)});
}

template <class Protocol>
void TcpServer<Protocol>::close_connection(int fd) {
  poller_.forget(fd);
  close(fd);
  connections_[static_cast<std::size_t>(fd)] = Connection{};
  ++statistics_.closed;
}

template class TcpServer<Echo>;
template class TcpServer<Http>;

}  // namespace net
