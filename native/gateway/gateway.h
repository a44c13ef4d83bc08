// An HTTP gateway as a service of a poller (see servers/turns.h): answers a few paths itself and passes the others to an
// upstream. One thread waits for clients, upstream connections and deadlines at once.
//
// A request is answered at once, or its connection is not read until the answer is there: by the upstream, or by a long
// computation, of which each turn does a slice. Memory of a connection is bounded: what arrived with a request that
// waits (one receive window), its request line, and replies the client has not taken, beyond which it is not read.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dispatch/poller.h"
#include "gateway/answer.h"
#include "gateway/deadlines.h"
#include "gateway/options.h"
#include "gateway/upstream.h"
#include "process/sha256.h"
#include "servers/acceptor.h"
#include "servers/http_request.h"
#include "servers/statistics.h"

namespace gateway {

class Gateway {
 public:
  Gateway(dispatch::Poller& poller, const Options& options, servers::Statistics& statistics);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// Binds, listens and registers. Returns one sentence on what failed, empty when nothing did.
  std::string open() { return acceptor_.open(); }
  dispatch::Handle socket() const noexcept { return acceptor_.socket(); }

  void on_event(const dispatch::Event& event);
  dispatch::TimeoutNs patience() const noexcept;
  void end_turn();

 private:
  enum class Phase : std::uint8_t {
    closed,
    open,
    waiting,   ///< for the answer to its request; not read
    draining,  ///< our FIN is sent; what the peer still sends is dropped until its FIN
  };
  /// What only few connections have at a time.
  struct Extra {
    std::string line;      ///< of a request that is not whole, up to its first CR
    std::string pending;   ///< what arrived behind a request that waits; nothing is read while there is any
    std::string unsent;    ///< what the kernel had no room for; nothing is read or answered while there is any
    std::size_t sent = 0;  ///< bytes of `unsent` that have gone since
    bool ok = false;       ///< there is a reply 200 in `unsent`
  };
  struct Client {
    servers::HttpRequest request;
    std::unique_ptr<Extra> extra;
    dispatch::Slot upstream = dispatch::kNoSlot;  ///< of the exchange it waits for
    std::uint32_t drained = 0;
    Phase phase = Phase::closed;
    bool last = false;      ///< closes once everything is sent
    bool requeued = false;
  };
  struct Computation {
    dispatch::Token client;
    process::Digest digest;
    std::uint64_t left;
  };

  process::Nanoseconds now() noexcept;
  void accept_some();
  void read(dispatch::Slot slot, bool peer_finished);
  bool take(dispatch::Slot slot, std::span<const std::byte> received);
  void answer_all(dispatch::Slot slot, Client& client, std::span<const std::byte> bytes);
  void answer(dispatch::Slot slot, Client& client, std::string_view line);
  void compute(dispatch::Slot slot, Client& client, Manner manner, std::uint64_t iterations);
  void forward(dispatch::Slot slot, Client& client, Manner manner, std::string_view target);
  void refuse(Client& client, int status, std::string_view line);
  void put_ok(Manner manner, std::string_view body);
  void put_outcome(Manner manner, const Upstream::Outcome& outcome);
  Manner manner_of(const Client& client) const noexcept;
  static Extra& extra_of(Client& client);
  bool send_staged(dispatch::Slot slot, Client& client);
  void clear_staging() noexcept;
  void flush(dispatch::Slot slot, Client& client);
  bool go_on(dispatch::Slot slot, Client& client);
  template <class Put>
  void deliver(dispatch::Slot slot, Put put);
  void finish_exchange(dispatch::Slot exchange, const Upstream::Outcome& outcome);
  void read_again(dispatch::Slot slot);
  void watch(dispatch::Slot slot, dispatch::Interest wanted);
  void requeue(dispatch::Slot slot);
  void resume();
  void compute_some();
  void expire();
  void tell_first_reply();
  void close_client(dispatch::Slot slot);

  dispatch::Poller& poller_;
  const Options& options_;
  servers::Statistics& statistics_;
  servers::Acceptor acceptor_;
  Upstream upstream_;
  Deadlines deadlines_;  // of clients and of exchanges
  const bool edge_;
  process::Nanoseconds now_ = 0;  // of this turn; 0: not asked for yet
  bool accept_again_ = false;
  bool first_reply_told_ = false;
  bool ok_staged_ = false;        // there is a reply 200 among those staged
  std::uint64_t counter_ = 0;     // GET /state
  std::string staging_;           // the replies to one read
  std::deque<Computation> computations_;
  std::vector<Client> clients_;   // by slot
  std::vector<dispatch::Token> requeued_;
  std::unique_ptr<std::byte[]> window_;
};

}  // namespace gateway
