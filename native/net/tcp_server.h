// A TCP server on any backend: accepts, reads, answers, and copes with short sends, for the protocols of protocol.h.
//
// Work per small request is one recv and one send on every backend (and a re-arm on one-shot ones): a read that did not
// fill the window has drained the socket, so nothing is read "until EAGAIN". After a FIN was reported with the data it
// is read once more, because an edge-triggered mechanism will not report it again.
// An idle connection costs a Connection and nothing else: all reads share one window, and output is kept only after a
// short send, during which the connection is not read (backpressure).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dispatch/poller.h"
#include "net/options.h"
#include "net/protocol.h"
#include "net/spare_descriptor.h"

namespace net {

template <class Protocol>
class TcpServer {
 public:
  TcpServer(dispatch::Poller& poller, const Options& options, Statistics& statistics)
      : poller_(poller), options_(options), budgets_(options.budgets), statistics_(statistics),
        edge_(poller.capabilities().trigger == dispatch::Trigger::edge),
        needs_rearm_(poller.capabilities().needs_rearm) {}
  ~TcpServer();
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  /// Binds, listens and registers. Returns one sentence on what failed, empty when nothing did.
  std::string open();
  Address address() const noexcept { return local_address(listener_); }

  /// Handles one current event of a descriptor of this server.
  void on_event(const dispatch::Event& event);

  /// Edge-triggered only: descriptors whose budget ended before their data did. The next wait must not block while
  /// there are any; call resume() after it.
  bool has_backlog() const noexcept { return !requeued_.empty(); }
  void resume();

 private:
  enum class Phase : std::uint8_t {
    closed,
    open,
    last_reply,  ///< closes once what is kept has been sent
    draining,    ///< our FIN is sent; what the peer still sends is dropped until its FIN
  };
  struct Kept {
    std::vector<std::byte> bytes;
    std::size_t sent = 0;
  };
  struct Connection {
    std::unique_ptr<Kept> output;
    [[no_unique_address]] typename Protocol::State state;
    std::uint32_t drained = 0;
    Phase phase = Phase::closed;
    bool requeued = false;
  };
  struct Requeued {
    int fd;
    std::uint32_t generation;
  };

  static constexpr std::size_t kBroken = SIZE_MAX;

  void accept_some();
  void admit(int fd);
  void refuse(int fd, const char* why);
  void serve(int fd, bool peer_finished);
  bool take(int fd, Connection& connection, std::span<const std::byte> received);
  void flush(int fd, Connection& connection);
  std::size_t send_some(int fd, std::span<const std::byte> bytes);
  void watch(int fd, dispatch::Interest wanted);
  void make_room(int fd);
  void start_draining(int fd, Connection& connection);
  void close_connection(int fd);
  void requeue(int fd);

  dispatch::Poller& poller_;
  const Options& options_;
  const Budgets budgets_;
  Statistics& statistics_;
  const bool edge_;
  const bool needs_rearm_;
  int listener_ = -1;
  bool explained_ = false;
  SpareDescriptor spare_;
  Protocol protocol_;
  std::vector<Connection> connections_;  // by descriptor
  std::vector<Requeued> requeued_;
  std::unique_ptr<std::byte[]> window_ = std::make_unique<std::byte[]>(kReceiveWindow);
};

extern template class TcpServer<Echo>;
extern template class TcpServer<Http>;

}  // namespace net
