// Asks the upstream server on behalf of clients: one connection for each request, in the same poller as the clients, and
// a reply read whole before it is passed on, within bounds.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dispatch/poller.h"
#include "load/http_reply.h"
#include "net/socket.h"

namespace gateway {

class Upstream {
 public:
  /// Longest body that is passed on, bytes.
  static constexpr std::size_t kMostBody = 1 << 20;

  /// What came of a question: a reply, or with `reason` a refusal in one line.
  struct Outcome {
    int status = 0;
    const char* reason = nullptr;
    load::HttpReply::Kept reply;
  };

  Upstream(dispatch::Poller& poller, const net::Address& address);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  /// Asks for `target` on behalf of `client`. kNoSlot, with `outcome` set, when that failed at once.
  dispatch::Slot ask(dispatch::Slot client, std::string_view target, Outcome& outcome);
  bool owns(dispatch::Slot slot) const noexcept { return slot < exchanges_.size() && exchanges_[slot] != nullptr; }
  /// The client that waits for the answer.
  dispatch::Slot client(dispatch::Slot slot) const noexcept { return exchanges_[slot]->client; }
  /// Handles one event of a slot of this; true when that ended it and `outcome` is set. Call end() then.
  bool on_event(const dispatch::Event& event, Outcome& outcome);
  /// Closes the connection, whatever came of it.
  void end(dispatch::Slot slot);

 private:
  struct Exchange {
    explicit Exchange(dispatch::Slot asking) : client(asking) {}
    Exchange(const Exchange&) = delete;  // the parser points at what is kept
    Exchange& operator=(const Exchange&) = delete;

    const dispatch::Slot client;
    std::string request;  // what is left of it; sent once the connection stands
    bool connected = false;
    load::HttpReply::Kept kept;
    load::HttpReply reply{&kept};
  };
  bool send(dispatch::Slot slot, Exchange& exchange, Outcome& outcome);
  bool receive(dispatch::Slot slot, Exchange& exchange, Outcome& outcome);

  dispatch::Poller& poller_;
  const net::Address& address_;
  const std::string fields_;  // what follows the target in every request
  std::vector<std::unique_ptr<Exchange>> exchanges_;  // by slot
  std::unique_ptr<std::byte[]> window_;
};

}  // namespace gateway
