// The sockets of one worker and the flows over them: queues what is to be sent, sends and receives it in batches, and
// books both ends in the flows' ledgers. Knows no schedule and no window.
#pragma once

#include <memory>
#include <vector>

#include "dispatch/poller.h"
#include "load/datagram_recorder.h"
#include "net/udp_batch.h"

namespace load {

/// How flows are laid over sockets and ports: flow f uses socket f mod sockets and port f mod ports, and there are as
/// many flows as the larger of the two. So a socket has either one flow (it is connected) or one flow per port.
struct DatagramLayout {
  explicit DatagramLayout(const DatagramConfig& config) noexcept
      : flows(std::max(config.sockets, config.ports)), connected(config.sockets >= config.ports) {}
  std::uint32_t flows;
  bool connected;
};

class DatagramLanes {
 public:
  /// Takes the sockets s of the configuration with s mod workers == worker.
  DatagramLanes(const DatagramConfig& config, std::uint32_t worker, DatagramRecorder& recorder);
  ~DatagramLanes();
  DatagramLanes(const DatagramLanes&) = delete;
  DatagramLanes& operator=(const DatagramLanes&) = delete;

  /// Opens the sockets. Returns 0 or an errno, and then says in `what` which step failed.
  int open(std::string& what);
  int watch(dispatch::Poller& poller);
  /// Lets receive() block for at most `limit` on the only socket, so that a reply costs one system call.
  int block(Nanoseconds limit) noexcept;

  std::uint32_t sockets() const noexcept { return static_cast<std::uint32_t>(sockets_.size()); }
  std::uint32_t flows() const noexcept { return static_cast<std::uint32_t>(flows_.size()); }
  std::uint32_t flows_of(std::uint32_t socket) const noexcept {
    return static_cast<std::uint32_t>(sockets_[socket].flows.size());
  }
  std::uint32_t flow_of(std::uint32_t socket, std::uint32_t index) const noexcept {
    return sockets_[socket].flows[index];
  }
  std::uint32_t outstanding(std::uint32_t socket) const noexcept { return sockets_[socket].outstanding; }

  void queue(std::uint32_t flow, Nanoseconds intended);
  std::size_t queued() const noexcept { return queued_; }
  /// Sends what is queued, as far as the kernel takes it, and until this instant. Returns false when that came first.
  bool flush(Nanoseconds until);
  /// Datagrams that the receive buffer of a socket holds, so many at most are worth having under way.
  std::uint32_t holds(std::uint32_t socket) const noexcept;

  /// Receives on one socket what one batch holds; returns how many datagrams or errors it took.
  std::size_t receive(std::uint32_t socket, int flags);
  /// Index of the socket behind an event's slot.
  std::uint32_t socket_of(dispatch::Slot slot) const noexcept { return by_slot_[slot]; }

  /// Gives up waiting for datagrams sent at or before `limit` (closed loop); returns how many.
  std::uint64_t expire(Nanoseconds limit);
  /// Sockets on which a datagram is outstanding no more, since the last call; a socket may come up more than once.
  std::vector<std::uint32_t>& freed() noexcept { return freed_; }

  /// Adds the flows, calls and drops of these lanes.
  void add_to(DatagramOutcome& outcome) const;

 private:
  static constexpr std::size_t kBatch = 64;
  struct Queued {
    std::uint32_t flow;
    Nanoseconds intended;
  };
  struct Flow {
    Flow(std::uint32_t id, std::uint32_t socket, net::Address target, FlowLedger ledger)
        : id(id), socket(socket), target(target), ledger(std::move(ledger)) {}
    std::uint32_t id;
    std::uint32_t socket;  // index in sockets_
    net::Address target;
    FlowLedger ledger;
    FlowFigures figures;
  };
  struct Socket {
    dispatch::Handle fd = dispatch::kNoHandle;
    std::uint32_t outstanding = 0;
    std::vector<std::uint32_t> flows;  // indices in flows_
    std::vector<Queued> queue;
  };

  std::size_t send_batch(Socket& socket, int& error);
  void flush(Socket& socket);
  void book(Socket& socket, std::size_t slot, Nanoseconds now);
  std::size_t take_errors(Socket& socket, int error);
  Flow* flow_at(Socket& socket, std::uint16_t port) noexcept;
  void free_one(Flow& flow);

  const DatagramConfig& config_;
  const DatagramLayout layout_;
  const std::uint32_t worker_;
  const bool keep_times_;
  DatagramRecorder& recorder_;
  const std::size_t send_size_;
  const DatagramFormat format_;
  net::UdpBatch out_, in_;
  std::vector<Socket> sockets_;
  std::vector<Flow> flows_;
  std::vector<std::uint32_t> by_port_;        // unconnected: port offset -> index in flows_
  std::vector<std::uint32_t> by_slot_;        // of the poller -> index in sockets_
  std::vector<std::uint32_t> waiting_;        // sockets with a non-empty queue
  std::vector<std::uint32_t> freed_;
  std::size_t queued_ = 0;
  std::uint64_t send_calls_ = 0, receive_calls_ = 0, send_errors_ = 0, send_stalls_ = 0;
};

}  // namespace load
