// TCP connections on a completion engine: accepted, received from and sent to without asking whether they are ready. What
// the bytes mean is the caller's business: take() shows what came, reply() says what is to go.
//
// a) Replies to one connection within a turn leave as one submission, because two could be taken out of order: the first may
//    be cut short for want of room while the second finds some.
// b) A reply is tried once, within the enter (MSG_DONTWAIT), whole if it can be (MSG_WAITALL), and says nothing when all of it
//    went. What did not go is copied, sent without a deadline, and meanwhile the connection is not received from.
// c) A FIN or a last reply is acted upon when what was replied before is known to have gone. Replies may be given in the turn
//    after the one that showed what they answer.
// d) close(2) with a receive armed sends no FIN, because the receive holds the file: it is cancelled first.
#pragma once

#ifdef __linux__
#include <memory>
#include <unordered_map>
#include <vector>

#include "completion/engine.h"
#include "completion/listener.h"
#include "servers/options.h"
#include "servers/protocol.h"
#include "servers/statistics.h"

namespace completion {

using Slot = std::uint32_t;

class Streams {
 public:
  Streams(Engine& engine, const servers::Options& options, servers::Statistics& statistics);
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  /// Binds, listens and arms the listener. Returns one sentence on what failed, empty when nothing did.
  std::string open();
  int socket() const noexcept { return listener_.socket(); }
  /// Slots are below this, always.
  Slot most() const noexcept { return most_; }

  /// Whether the next enter must not wait, because something is to be done after it that nothing else would wake for.
  bool impatient() const noexcept { return !hungry_.empty() || !leaving_.empty() || held_back_; }

  /// After enter(): looks after what did not go as a whole, and what waited for that.
  void settle();

  /// A completion that take() of the engine showed. Calls received(slot, bytes) when bytes came, several times for those of a
  /// bundle: they stay until the turn's end. It ends one connection at most.
  template <class Received>
  void on_completion(Tag tag, const Completion& row, Received received) {
    switch (tag.purpose) {
      case Purpose::receive:
        on_receive(tag, row, received);
        break;
      case Purpose::flush:
        on_flush(tag, row);
        break;
      default:
        listener_.on_completion(tag, row, *this);
    }
  }

  /// Calls gone(slot) for at most `most` connections that ended, whose slots may be others' from the next turn on. Slots of
  /// which nobody was told stay unused.
  template <class Gone>
  void tell_gone(std::size_t most, Gone gone) {
    for (; most > 0 && !gone_.empty(); --most) {
      gone(gone_.back());
      freed_.push_back(gone_.back());
      gone_.pop_back();
    }
  }

  /// To be sent in this turn's submission, behind earlier replies to the same connection. Bytes of the protocol are copied,
  /// others have to stay until settle() has been called once more.
  void reply(Slot slot, const servers::Reply& reply);

  /// Queues what reply() gathered, one submission for each connection.
  void end_turn();

  /// For the listener: a connection that was accepted, as its descriptor or its place in the ring's table.
  void admit(int file);

 private:
  enum class Phase : std::uint8_t {
    closed,
    open,
    last_reply,  ///< closes once what was replied is gone
    draining,    ///< our FIN is sent; what the peer still sends is dropped until its FIN
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;
  /// What is to go to one connection in one turn: bytes that lie somewhere, or a copy when they are of several replies.
  struct Delivery {
    Slot slot;
    std::span<const std::byte> bytes;
    std::vector<std::byte> copy;
  };
  /// What had to be copied: `first` is being sent, `then` follows.
  struct Kept {
    std::vector<std::byte> first, then;
  };
  struct Connection {
    std::unique_ptr<Kept> output;
    int file = -1;
    std::uint32_t generation = 0;
    std::uint32_t delivery = kNone;  // gathered in this turn, or handed over and not settled
    std::uint32_t drained = 0;
    std::uint32_t heard = 0;         // turn in which bytes of it were shown last
    Phase phase = Phase::closed;
    bool receiving = false;     // a receive is armed
    bool finished = false;      // the peer's FIN came; it closes once what was replied is gone
    bool leaves = false;        // is in leaving_
  };

  template <class Received>
  void on_receive(Tag tag, const Completion& row, Received received) {
    const bool ended = (row.flags & uring::completed::more) == 0;
    if (!stands(tag)) engine_.count_stale();
    else if (ended) connections_[tag.place].receiving = false;
    if ((row.flags & uring::completed::has_buffer) != 0) {
      // Taken in any case: the buffers have to go back.
      engine_.received(row, [&](std::span<const std::byte> bytes) {
        if (bytes.empty() || !stands(tag)) return;
        Connection& connection = connections_[tag.place];
        statistics_.bytes_in += bytes.size();
        connection.heard = turn_;
        if (connection.phase == Phase::open) received(tag.place, bytes);
        else drain(tag.place, bytes.size());
      });
    }
    if (ended && stands(tag)) on_receive_ended(tag.place, row.result);
  }

  Tag tag_of(Purpose purpose, Slot slot) const noexcept {
    return {purpose, connections_[slot].generation, slot};
  }
  bool stands(Tag tag) const noexcept {
    return tag.place < connections_.size() && connections_[tag.place].generation == tag.generation &&
           connections_[tag.place].phase != Phase::closed;
  }
  void receive_again(Slot slot);
  void on_receive_ended(Slot slot, int result);
  void on_short_delivery(Tag tag, int result);
  void on_flush(Tag tag, const Completion& row);
  void put(Slot slot, Connection& connection, const servers::Reply& reply);
  void flush(Slot slot);
  void drain(Slot slot, std::size_t bytes);
  void leave_later(Slot slot);
  void leave(Slot slot);
  void start_draining(Slot slot);
  void close_connection(Slot slot);
  void close_file(int file) noexcept;

  Engine& engine_;
  servers::Statistics& statistics_;
  Listener listener_;
  Slot most_;
  std::uint32_t turn_ = 1;
  std::vector<Connection> connections_;  // by slot
  std::vector<Slot> free_;
  std::vector<Slot> gone_;               // to be told of
  std::vector<Slot> freed_;               // free once nothing of this turn speaks of them
  std::vector<Delivery> deliveries_;
  std::size_t handed_over_ = 0;           // so many of them, from the first on
  bool held_back_ = false;                // something is to go behind one of them, which says nothing when all of it went
  std::vector<Slot> hungry_;             // to receive again once buffers are there
  std::vector<Slot> leaving_;            // finished or with a last reply: to be seen to once their replies are settled
  std::unordered_map<std::uint64_t, std::unique_ptr<Kept>> orphans_;  // being sent for connections that are gone
};

}  // namespace completion
#endif
