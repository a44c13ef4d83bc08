#include "gateway/gateway.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "gateway/route.h"
#include "net/socket.h"
#include "process/json_line.h"

namespace gateway {
namespace {

using dispatch::Handle;
using dispatch::Interest;
using dispatch::Slot;
using process::Nanoseconds;
using servers::kReceiveWindow;
using servers::Parsed;

constexpr std::size_t kMostHead = 16 * 1024;
// A GET needs no body; what comes with one is dropped up to this many bytes.
constexpr std::uint64_t kMostBody = 64 * 1024;
// A peer that goes on sending after our FIN is cut off beyond this many bytes.
constexpr std::uint32_t kMostDrained = 1 << 20;
// Iterations of one computation in one turn of the loop, about a millisecond: the others are served in between.
constexpr std::uint64_t kSlice = 25'000;

std::string_view text_of(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What of `bytes` belongs to the request line that `line` has the beginning of; once that has its CR, nothing does.
std::string_view rest_of_line(std::string_view line, std::span<const std::byte> bytes) noexcept {
  if (line.ends_with('\r')) return {};
  const std::string_view text = text_of(bytes);
  const std::size_t end = text.find('\r');
  return end == text.npos ? text : text.substr(0, end + 1);
}

}  // namespace

Gateway::Gateway(dispatch::Poller& poller, const Options& options, servers::Statistics& statistics)
    : poller_(poller), options_(options), statistics_(statistics), acceptor_(poller, options.serving, statistics),
      upstream_(poller, options.upstream), deadlines_(options.timeout),
      edge_(poller.capabilities().trigger == dispatch::Trigger::edge),
      window_(std::make_unique<std::byte[]>(kReceiveWindow)) {}

Gateway::~Gateway() {
  for (Slot slot = 0; slot < clients_.size(); ++slot) {
    if (clients_[slot].phase != Phase::closed) close_client(slot);
  }
}

Nanoseconds Gateway::now() noexcept {
  if (now_ == 0) now_ = process::monotonic_now();
  return now_;
}

void Gateway::on_event(const dispatch::Event& event) {
  const Slot slot = event.slot;
  if (slot == acceptor_.slot()) {
    accept_some();
  } else if (upstream_.owns(slot)) {
    Upstream::Outcome outcome;
    if (upstream_.on_event(event, outcome)) finish_exchange(slot, outcome);
  } else if (Client& client = clients_[slot]; client.extra != nullptr && !client.extra->unsent.empty()) {
    flush(slot, client);
  } else if (client.phase != Phase::waiting) {
    read(slot, (event.flags & (dispatch::read_closed | dispatch::hangup)) != 0);
  } else if ((event.flags & (dispatch::error | dispatch::hangup)) != 0 || net::take_error(poller_.handle(slot)) != 0) {
    close_client(slot);  // gone; a FIN alone would not say so, and select says nothing of errors
  } else {
    watch(slot, Interest::none);
  }
}

dispatch::TimeoutNs Gateway::patience() const noexcept {
  if (!computations_.empty() || !requeued_.empty() || accept_again_) return 0;
  if (deadlines_.first() == dispatch::kNoSlot) return dispatch::kForever;
  return std::max<Nanoseconds>(0, deadlines_.due() - process::monotonic_now());
}

void Gateway::end_turn() {
  if (accept_again_) accept_some();
  if (!requeued_.empty()) resume();
  if (!computations_.empty()) compute_some();
  expire();
  now_ = 0;
}

void Gateway::accept_some() {
  accept_again_ = acceptor_.accept_some([this](Slot slot) {
    if (slot >= clients_.size()) clients_.resize(slot + slot / 2 + 64);
    clients_[slot].phase = Phase::open;
    deadlines_.set(slot, now());
  });
}

void Gateway::read(Slot slot, bool peer_finished) {
  const Handle handle = poller_.handle(slot);
  const std::span window(window_.get(), kReceiveWindow);
  for (std::uint32_t reads = 1;; ++reads) {
    const ssize_t n = net::receive(handle, window);
    if (net::would_block(n)) break;
    if (n <= 0) {
      close_client(slot);
      return;
    }
    const auto received = static_cast<std::size_t>(n);
    statistics_.bytes_in += received;
    if (!take(slot, window.first(received))) return;
    if (received < kReceiveWindow && !peer_finished) break;
    if (reads == options_.serving.budgets.reads) {
      if (edge_) requeue(slot);
      break;
    }
  }
  poller_.rearm(slot);
}

// False when the connection is not to be read on: it is closed, waits for its answer, or for room to send.
bool Gateway::take(Slot slot, std::span<const std::byte> received) {
  Client& client = clients_[slot];
  if (client.phase == Phase::draining) {
    client.drained += static_cast<std::uint32_t>(received.size());
    if (client.drained <= kMostDrained) return true;
    close_client(slot);
    return false;
  }
  const bool begins = client.request.head_bytes == 0;
  answer_all(slot, client, received);
  // A request has to be whole in time, however slowly it comes.
  if (begins && staging_.empty()) deadlines_.set(slot, now());
  return send_staged(slot, client);
}

// Stages the answers to what was received, up to a request that has to wait.
void Gateway::answer_all(Slot slot, Client& client, std::span<const std::byte> bytes) {
  while (!bytes.empty() && !client.last && client.phase == Phase::open) {
    std::size_t taken = 0;
    int status = 0;
    const Parsed parsed = client.request.feed(bytes, taken, status, kMostHead);
    const bool begun = client.extra != nullptr && !client.extra->line.empty();
    const std::string_view before = begun ? std::string_view(client.extra->line) : std::string_view();
    std::string_view line = rest_of_line(before, bytes.first(taken));
    if (begun) line = client.extra->line.append(line);
    bytes = bytes.subspan(taken);
    if (parsed == Parsed::complete) {
      answer(slot, client, line);
      if (begun) client.extra->line.clear();
    } else if (parsed == Parsed::rejected) {
      refuse(client, status, line);
    } else if (client.request.body_left > kMostBody) {
      refuse(client, 413, line);
    } else {
      if (!begun) extra_of(client).line = line;
      if (parsed == Parsed::proceed) staging_.append("HTTP/1.1 100 Continue\r\n\r\n");
    }
  }
  if (client.phase == Phase::waiting && !bytes.empty() && !manner_of(client).closes) {
    extra_of(client).pending = text_of(bytes);
  }
}

void Gateway::answer(Slot slot, Client& client, std::string_view line) {
  const Route chosen = route(line, options_.max_iterations);
  const Manner manner = manner_of(client);
  switch (chosen.work) {
    case Work::hello: put_ok(manner, "hello"); break;
    case Work::health: put_ok(manner, "ok"); break;
    case Work::state: put_ok(manner, std::to_string(counter_++)); break;
    case Work::compute: compute(slot, client, manner, chosen.iterations); break;
    case Work::forward: forward(slot, client, manner, target_of(line)); break;
    case Work::refuse:
      ++statistics_.rejected;
      put_refusal(staging_, manner, chosen.status, chosen.reason);
      break;
  }
  if (client.phase != Phase::waiting) client.last = manner.closes;
}

void Gateway::compute(Slot slot, Client& client, Manner manner, std::uint64_t iterations) {
  process::Digest digest{};
  if (iterations > kSlice) {
    client.phase = Phase::waiting;
    computations_.push_back({{slot, poller_.generation(slot)}, digest, iterations});
    return;
  }
  process::chain_sha256(digest, iterations);
  put_ok(manner, process::hex(digest));
}

void Gateway::forward(Slot slot, Client& client, Manner manner, std::string_view target) {
  Upstream::Outcome outcome;
  client.upstream = upstream_.ask(slot, target, outcome);
  if (client.upstream == dispatch::kNoSlot) {
    put_outcome(manner, outcome);
    return;
  }
  client.phase = Phase::waiting;
  deadlines_.set(client.upstream, now());
}

// The request cannot be read on, so the connection ends with the refusal.
void Gateway::refuse(Client& client, int status, std::string_view line) {
  ++statistics_.rejected;
  client.last = true;
  const Manner manner{.head_only = manner_of(client).head_only, .closes = true};
  const std::string_view method = method_of(line);
  if (status != 400 && !method.empty() && method != "GET" && method != "HEAD") {
    put_refusal(staging_, manner, 405, "only GET and HEAD are served here");
  } else if (status == 413) {
    put_refusal(staging_, manner, 413, "the request's body is longer than 64 KiB");
  } else if (status == 501) {  // the parser takes no other transfer coding either
    put_refusal(staging_, manner, 400, "a request's body must have a Content-Length");
  } else {
    put_refusal(staging_, manner, status, reason_of(status));
  }
}

void Gateway::put_ok(Manner manner, std::string_view body) {
  ++statistics_.requests;
  ok_staged_ = true;
  put_answer(staging_, manner, 200, kPlainText, body);
}

void Gateway::put_outcome(Manner manner, const Upstream::Outcome& outcome) {
  if (outcome.reason != nullptr) {
    ++statistics_.rejected;
    put_refusal(staging_, manner, outcome.status, outcome.reason);
    return;
  }
  ++statistics_.requests;
  ok_staged_ |= outcome.status == 200;
  put_answer(staging_, manner, outcome.status, outcome.reply.content_type, outcome.reply.body);
}

Manner Gateway::manner_of(const Client& client) const noexcept {
  const servers::HttpRequest& request = client.request;
  return {.head_only = (request.flags & servers::head_method) != 0,
          .closes = !options_.keep_alive || !request.keeps_alive(),
          .must_say_so = (request.flags & servers::version_1_0) != 0};
}

Gateway::Extra& Gateway::extra_of(Client& client) {
  if (client.extra == nullptr) client.extra = std::make_unique<Extra>();
  return *client.extra;
}

// Sends what is staged. Returns as take().
bool Gateway::send_staged(Slot slot, Client& client) {
  if (staging_.empty()) return go_on(slot, client);
  const std::span bytes = std::as_bytes(std::span(staging_));
  const ssize_t n = net::transmit(poller_.handle(slot), bytes);
  if (n < 0 && !net::would_block(n)) {
    clear_staging();
    close_client(slot);
    return false;
  }
  deadlines_.set(slot, now());
  const std::size_t sent = n < 0 ? 0 : static_cast<std::size_t>(n);
  statistics_.bytes_out += sent;
  const bool whole = sent == bytes.size();
  if (!whole) {
    Extra& extra = extra_of(client);
    extra.unsent = text_of(bytes.subspan(sent));
    extra.ok = ok_staged_;
    watch(slot, Interest::write);
  } else if (ok_staged_) {
    tell_first_reply();
  }
  clear_staging();
  return whole && go_on(slot, client);
}

void Gateway::clear_staging() noexcept {
  if (staging_.capacity() > 2 * kReceiveWindow) {
    staging_ = {};
  } else {
    staging_.clear();
  }
  ok_staged_ = false;
}

void Gateway::flush(Slot slot, Client& client) {
  Extra& extra = *client.extra;
  const ssize_t n = net::transmit(poller_.handle(slot), std::as_bytes(std::span(extra.unsent)).subspan(extra.sent));
  if (n < 0 && !net::would_block(n)) {
    close_client(slot);
    return;
  }
  if (n > 0) {
    deadlines_.set(slot, now());
    statistics_.bytes_out += static_cast<std::uint64_t>(n);
    extra.sent += static_cast<std::size_t>(n);
  }
  if (extra.sent < extra.unsent.size()) {
    poller_.rearm(slot);
    return;
  }
  if (extra.ok) tell_first_reply();
  extra.unsent = {};
  extra.sent = 0;
  extra.ok = false;
  if (go_on(slot, client)) read_again(slot);
}

// What comes after everything was sent. Returns as take().
bool Gateway::go_on(Slot slot, Client& client) {
  if (client.phase == Phase::waiting) {
    deadlines_.clear(slot);
    watch(slot, Interest::read);  // to hear when it is gone
    poller_.rearm(slot);
    return false;
  }
  if (client.last && client.phase == Phase::open) {
    client.extra.reset();
    client.phase = Phase::draining;
    shutdown(poller_.handle(slot), SHUT_WR);
    return true;
  }
  if (client.extra == nullptr) return true;
  if (client.extra->pending.empty()) {
    if (client.extra->line.empty()) client.extra.reset();
    return true;
  }
  const std::string pending = std::exchange(client.extra->pending, {});
  answer_all(slot, client, std::as_bytes(std::span(pending)));
  return send_staged(slot, client);  // and no deeper: what is pending now waits
}

// Answers the request that waits: `put` stages the reply in the manner it is given.
template <class Put>
void Gateway::deliver(Slot slot, Put put) {
  Client& client = clients_[slot];
  const Manner manner = manner_of(client);
  client.phase = Phase::open;
  client.upstream = dispatch::kNoSlot;
  client.last = manner.closes;
  put(manner);
  if (client.extra == nullptr || client.extra->unsent.empty()) {
    if (send_staged(slot, client)) read_again(slot);
    return;
  }
  client.extra->unsent.append(staging_);
  client.extra->ok |= ok_staged_;
  clear_staging();
}

void Gateway::finish_exchange(Slot exchange, const Upstream::Outcome& outcome) {
  const Slot client = upstream_.client(exchange);
  deadlines_.clear(exchange);
  upstream_.end(exchange);
  deliver(client, [&](Manner manner) { put_outcome(manner, outcome); });
}

// After a time without: what arrived meanwhile is reported, on edge-triggered and one-shot backends too.
void Gateway::read_again(Slot slot) {
  if (poller_.interest(slot) != Interest::read) {
    watch(slot, Interest::read);
  } else if (edge_) {
    requeue(slot);
  } else {
    poller_.rearm(slot);
  }
}

void Gateway::watch(Slot slot, Interest wanted) {
  if (poller_.modify(slot, wanted) != 0) close_client(slot);
}

void Gateway::requeue(Slot slot) {
  if (std::exchange(clients_[slot].requeued, true)) return;
  requeued_.push_back({slot, poller_.generation(slot)});
}

void Gateway::resume() {
  const std::vector<dispatch::Token> before = std::exchange(requeued_, {});
  for (const auto [slot, generation] : before) {
    if (poller_.generation(slot) != generation) continue;  // closed since
    Client& client = clients_[slot];
    client.requeued = false;
    const bool busy = client.phase == Phase::waiting || (client.extra != nullptr && !client.extra->unsent.empty());
    if (!busy) read(slot, true);
  }
}

void Gateway::compute_some() {
  Computation computation = computations_.front();
  computations_.pop_front();
  const Slot slot = computation.client.slot;
  if (poller_.generation(slot) != computation.client.generation) return;  // gone
  const std::uint64_t rounds = std::min(kSlice, computation.left);
  process::chain_sha256(computation.digest, rounds);
  computation.left -= rounds;
  if (computation.left > 0) {
    computations_.push_back(computation);
  } else {
    deliver(slot, [&](Manner manner) { put_ok(manner, process::hex(computation.digest)); });
  }
}

void Gateway::expire() {
  for (Slot slot = deadlines_.first(); slot != dispatch::kNoSlot && deadlines_.due() <= now(); slot = deadlines_.first()) {
    if (upstream_.owns(slot)) {
      finish_exchange(slot, {.status = 504, .reason = "the upstream did not answer in time", .reply = {}});
    } else {
      close_client(slot);
    }
  }
}

void Gateway::tell_first_reply() {
  if (std::exchange(first_reply_told_, true)) return;
  process::print_line(process::JsonLine()
                          .string("event", "first-reply")
                          .number("monotonicNs", process::monotonic_now())
                          .text());
}

void Gateway::close_client(Slot slot) {
  Client& client = clients_[slot];
  if (client.upstream != dispatch::kNoSlot) {
    deadlines_.clear(client.upstream);
    upstream_.end(client.upstream);
  }
  deadlines_.clear(slot);
  const Handle handle = poller_.handle(slot);
  poller_.forget(slot);
  close(handle);
  client = Client{};
  ++statistics_.closed;
}

}  // namespace gateway
