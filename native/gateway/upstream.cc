#include "gateway/upstream.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "servers/statistics.h"

namespace gateway {
namespace {

using dispatch::Handle;
using dispatch::Interest;
using dispatch::Slot;
using load::HttpReply;
using Outcome = Upstream::Outcome;

std::string authority(const net::Address& address) {
  const std::string host = address.host();
  const std::string port = ":" + std::to_string(address.port());
  return address.family() == AF_INET6 ? "[" + host + "]" + port : host + port;
}

bool fail(Outcome& outcome, int status, const char* reason) {
  outcome = {.status = status, .reason = reason, .reply = {}};
  return true;
}

bool fail(Outcome& outcome, int error) {
  switch (error) {
    case EMFILE:
    case ENFILE: return fail(outcome, 503, "no descriptor is left for the upstream");
    case ERANGE: return fail(outcome, 503, "the backend cannot watch one descriptor more");
    case ECONNREFUSED: return fail(outcome, 502, "the upstream refuses connections");
    default: return fail(outcome, 502, "the connection to the upstream failed");
  }
}

/// What comes from the upstream goes into a header field: nothing that would begin another.
bool is_plain(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (c >= ' ' && c < 0x7f); });
}

}  // namespace

Upstream::Upstream(dispatch::Poller& poller, const net::Address& address)
    : poller_(poller), address_(address),
      fields_(" HTTP/1.1\r\nHost: " + authority(address) + "\r\nConnection: close\r\n\r\n"),
      window_(std::make_unique<std::byte[]>(servers::kReceiveWindow)) {}

Upstream::~Upstream() {
  for (Slot slot = 0; slot < exchanges_.size(); ++slot) {
    if (owns(slot)) end(slot);
  }
}

Slot Upstream::ask(Slot client, std::string_view target, Outcome& outcome) {
  const Handle handle = net::connect_tcp(address_);
  if (handle < 0) {
    fail(outcome, -handle);
    return dispatch::kNoSlot;
  }
  Slot slot = dispatch::kNoSlot;
  if (const int error = poller_.add(handle, Interest::write, slot)) {
    close(handle);
    fail(outcome, error);
    return dispatch::kNoSlot;
  }
  if (slot >= exchanges_.size()) exchanges_.resize(slot + slot / 2 + 64);
  exchanges_[slot] = std::make_unique<Exchange>(client);
  exchanges_[slot]->request.append("GET ").append(target).append(fields_);
  return slot;
}

bool Upstream::on_event(const dispatch::Event& event, Outcome& outcome) {
  Exchange& exchange = *exchanges_[event.slot];
  if (!exchange.connected) {
    if (const int error = net::take_error(poller_.handle(event.slot))) return fail(outcome, error);
    exchange.connected = true;
  }
  return exchange.request.empty() ? receive(event.slot, exchange, outcome) : send(event.slot, exchange, outcome);
}

bool Upstream::send(Slot slot, Exchange& exchange, Outcome& outcome) {
  const ssize_t n = net::transmit(poller_.handle(slot), std::as_bytes(std::span(exchange.request)));
  if (n < 0 && !net::would_block(n)) return fail(outcome, static_cast<int>(-n));
  exchange.request.erase(0, n < 0 ? 0 : static_cast<std::size_t>(n));
  const int error = exchange.request.empty() ? poller_.modify(slot, Interest::read) : poller_.rearm(slot);
  return error != 0 && fail(outcome, error);
}

// Reads until there is nothing, whatever the event said: a body beyond the bound ends it.
bool Upstream::receive(Slot slot, Exchange& exchange, Outcome& outcome) {
  HttpReply& reply = exchange.reply;
  HttpReply::Progress progress = HttpReply::Progress::more;
  while (progress == HttpReply::Progress::more) {
    const std::span window(window_.get(), servers::kReceiveWindow);
    const ssize_t n = net::receive(poller_.handle(slot), window);
    if (net::would_block(n)) {
      const int error = poller_.rearm(slot);
      return error != 0 && fail(outcome, error);
    }
    if (n < 0) return fail(outcome, static_cast<int>(-n));
    std::size_t used = 0;
    progress = n == 0 ? reply.finish() : reply.feed(window.first(static_cast<std::size_t>(n)), used);
    if (reply.body_size() > kMostBody) return fail(outcome, 502, "the upstream's reply is longer than 1 MiB");
  }
  if (progress == HttpReply::Progress::invalid) return fail(outcome, 502, "the upstream's reply is cut short or no HTTP");
  outcome = {.status = reply.status(), .reason = nullptr, .reply = std::move(exchange.kept)};
  if (!is_plain(outcome.reply.content_type)) outcome.reply.content_type.clear();
  return true;
}

void Upstream::end(Slot slot) {
  const Handle handle = poller_.handle(slot);
  poller_.forget(slot);
  close(handle);
  exchanges_[slot].reset();
}

}  // namespace gateway
