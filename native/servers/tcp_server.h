// A TCP server on any backend: accepts, reads, answers, and copes with short sends, for the protocols of protocol.h.
//
// Work per small request is one recv and one send on every backend (and a re-arm on one-shot ones): a read that did not
// fill the window has drained the socket, so nothing is read "until EAGAIN". After a FIN was reported with the data it
// is read once more, because an edge-triggered mechanism will not report it again.
// An idle connection costs a Connection and nothing else: all reads share one window, and output is kept only after a
// short send, during which the connection is not read (backpressure).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dispatch/poller.h"
#include "servers/acceptor.h"
#include "servers/options.h"
#include "servers/protocol.h"

namespace servers {

template <class Protocol>
class TcpServer {
 public:
  TcpServer(dispatch::Poller& poller, const Options& options, Statistics& statistics)
      : poller_(poller), budgets_(options.budgets), statistics_(statistics), acceptor_(poller, options, statistics),
        edge_(poller.capabilities().trigger == dispatch::Trigger::edge),
        needs_rearm_(poller.capabilities().needs_rearm) {}
  ~TcpServer();
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  /// Binds, listens and registers. Returns one sentence on what failed, empty when nothing did.
  std::string open();
  /// The same on a socket that listens already: see Acceptor.
  std::string open(dispatch::Handle listening, bool exclusive);
  dispatch::Handle socket() const noexcept { return acceptor_.socket(); }

  /// Handles one current event of a socket of this server.
  void on_event(const dispatch::Event& event);

  /// Edge-triggered only: while there are sockets whose budget ended before their data did, the next wait must not block.
  dispatch::TimeoutNs patience() const noexcept { return requeued_.empty() ? dispatch::kForever : 0; }
  void end_turn() {
    if (!requeued_.empty()) resume();
  }

 private:
  enum class Phase : std::uint8_t {
    closed,
    open,
    last_reply,  ///< closes once what is kept has been sent
    draining,    ///< our FIN is sent; what the peer still sends is dropped until its FIN
  };
  /// What the kernel had no room for, and the copy it lies in unless its bytes stay as they are anyway.
  struct Kept {
    std::span<const std::byte> unsent;
    std::vector<std::byte> copy;
  };
  struct Connection {
    std::unique_ptr<Kept> output;
    [[no_unique_address]] typename Protocol::State state;
    std::uint32_t drained = 0;
    Phase phase = Phase::closed;
    bool requeued = false;
  };

  static constexpr std::size_t kBroken = SIZE_MAX;

  std::string opened(std::string fault);
  void accept_some();
  void resume();
  void serve(dispatch::Slot slot, bool peer_finished);
  static std::unique_ptr<Kept> keep(const Reply& reply, std::size_t sent);
  bool take(dispatch::Slot slot, Connection& connection, std::span<const std::byte> received);
  void flush(dispatch::Slot slot, Connection& connection);
  std::size_t send_some(dispatch::Slot slot, std::span<const std::byte> bytes);
  void watch(dispatch::Slot slot, dispatch::Interest wanted);
  void make_room(dispatch::Slot slot);
  void start_draining(dispatch::Slot slot, Connection& connection);
  void close_connection(dispatch::Slot slot);
  void requeue(dispatch::Slot slot);

  dispatch::Poller& poller_;
  const Budgets budgets_;
  Statistics& statistics_;
  Acceptor acceptor_;
  const bool edge_;
  const bool needs_rearm_;
  Protocol protocol_;
  std::vector<Connection> connections_;  // by slot
  std::vector<dispatch::Token> requeued_;
  std::unique_ptr<std::byte[]> window_ = std::make_unique<std::byte[]>(kReceiveWindow);
};

extern template class TcpServer<Echo>;
extern template class TcpServer<Http>;

}  // namespace servers
