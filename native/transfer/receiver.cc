#include "transfer/receiver.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "transfer/adaptive.h"
#include "transfer/congestion.h"
#include "transfer/connection.h"

namespace transfer {
namespace {

using dispatch::Interest;
using process::kMillisecond;
using process::monotonic_now;

}  // namespace

std::string Receiver::open() {
  if (std::string fault = door_.open(options_.host, options_.port, kMostStreams); !fault.empty()) return fault;
  if (std::string fault = choose_congestion(socket(), options_.congestion); !fault.empty()) return fault;
  account_.congestion = net::congestion_control(socket());
  look_ = monotonic_now();
  return "";
}

void Receiver::on_event(const dispatch::Event& event) {
  if (!door_.is(event.slot)) return ready_.add(door_.at(event.slot));
  if (std::string fault = door_.admit(account_.strangers); fault_.empty()) fault_ = std::move(fault);
}

void Receiver::end_turn() {
  ready_.turn([this](std::uint32_t index, dispatch::Slot& slot) {
    if (!fault_.empty() || door_[index].fd < 0) return Step{};
    const Step taken = step(index);
    slot = door_[index].slot;
    return taken;
  });
  look_for_stalls();
}

dispatch::TimeoutNs Receiver::patience() const noexcept {
  if (!ready_.empty()) return 0;
  // Nobody is there yet: a receiver waits for its sender as long as it takes.
  if (door_.empty() && streams_ == 0) return dispatch::kForever;
  return std::max<process::Nanoseconds>(look_ - monotonic_now(), 0);
}

Step Receiver::step(std::uint32_t index) {
  Connection& connection = door_[index];
  return connection.headed ? step_data(connection) : step_head(connection);
}

Step Receiver::step_head(Connection& connection) {
  const ssize_t got = net::receive(connection.fd, std::span(connection.held).subspan(connection.held_size));
  if (net::would_block(got)) return {};
  if (got > 0) {
    connection.moved = monotonic_now();
    connection.held_size += static_cast<std::size_t>(got);
    if (connection.held_size < sizeof(Head) || take_head(connection)) return {static_cast<std::size_t>(got), true};
  }
  ++account_.strangers;
  door_.drop(connection);
  return {};
}

/// False: it is no stream of this transfer.
bool Receiver::take_head(Connection& connection) {
  Head head;
  std::memcpy(&head, connection.held.data(), sizeof head);
  if (head.mark != kHeadMark || head.streams == 0 || head.streams > kMostStreams || head.stream >= head.streams ||
      head.checked > 1 || head.resting > 1) {
    return false;
  }
  if (streams_ == 0) {
    transfer_ = head.transfer;
    streams_ = head.streams;
    taken_.resize(streams_);
    account_.streams.resize(streams_);
    account_.checked = head.checked == 1;
    resting_ = head.resting == 1;
    first_head_ = monotonic_now();
  }
  const bool same = head.transfer == transfer_ && head.streams == streams_ && (head.checked == 1) == account_.checked;
  if (!same || taken_[head.stream]) return false;
  taken_[head.stream] = true;
  connection.stream = head.stream;
  connection.headed = true;
  connection.held_size = 0;
  // Where the CPU is the limit, a receiver that is as fast as its sender would be woken for each send, and the sender pays for
  // that. Where a link is, bytes that are left lying only hold the window. Of streams that may rest a few send, or one.
  if (class_of(round_trip(connection.fd)) == LinkClass::loopback) {
    gather(connection.fd, resting_ ? options_.chunk : std::max<std::size_t>(options_.chunk / streams_, 1));
  }
  return true;
}

Step Receiver::step_data(Connection& connection) {
  // What was held is put before what comes, so that both are one run of bytes.
  const std::size_t held = connection.held_size;
  ++account_.calls.receives;
  const ssize_t got = net::receive(connection.fd, std::span(buffer_).subspan(held, options_.chunk));
  if (net::would_block(got)) {
    ++account_.calls.blocked;
    return {};
  }
  if (got < 0) {
    fail(connection, "receiving failed: " + std::string(std::strerror(static_cast<int>(-got))));
    return {};
  }
  if (got == 0) {
    end(connection);
    return {};
  }
  if (!account_.started) account_.start(poller_.counters());
  connection.moved = monotonic_now();
  std::memcpy(buffer_.data(), connection.held.data(), held);
  const auto size = static_cast<std::size_t>(got);
  take(connection, held + size);
  return {size, ready_.may_go_on(size, options_.chunk)};
}

/// Takes the first `size` bytes of the buffer, but for those that may be the tail.
void Receiver::take(Connection& connection, std::size_t size) {
  const std::size_t kept = std::min(size, sizeof(Tail));
  const auto bytes = std::span<const std::byte>(buffer_).first(size - kept);
  if (account_.checked) connection.hash.update(bytes);
  account_.streams[connection.stream].bytes += bytes.size();
  std::memcpy(connection.held.data(), buffer_.data() + bytes.size(), kept);
  connection.held_size = kept;
}

void Receiver::end(Connection& connection) {
  StreamAccount& got = account_.streams[connection.stream];
  Tail tail;
  if (connection.held_size == sizeof tail) std::memcpy(&tail, connection.held.data(), sizeof tail);
  if (connection.held_size < sizeof tail || tail.mark != kTailMark) {
    fail(connection, "it was cut off after " + std::to_string(got.bytes + connection.held_size) + " bytes");
    return;
  }
  got.digest = account_.checked ? connection.hash.digest() : 0;
  got.whole = tail.bytes == got.bytes && tail.digest == got.digest;
  const Tail answer{.mark = kAnswerMark, .bytes = got.bytes, .digest = got.digest};
  // It is the first that goes this way: there is room for it.
  const ssize_t sent = net::transmit(connection.fd, std::as_bytes(std::span(&answer, 1)));
  if (!got.whole) {
    fail(connection, tail.bytes != got.bytes
                         ? std::to_string(got.bytes) + " bytes came of " + std::to_string(tail.bytes)
                         : std::string("other bytes came than were sent (their checksum differs)"));
  } else if (sent != static_cast<ssize_t>(sizeof answer)) {
    fail(connection, "the sender did not take the answer");
  }
  door_.drop(connection);
  if (++ended_ == streams_) account_.stop(poller_.counters());
}

void Receiver::fail(const Connection& connection, const std::string& what) {
  if (fault_.empty()) fault_ = "stream " + std::to_string(connection.stream) + ": " + what;
}

void Receiver::look_for_stalls() {
  const process::Nanoseconds now = monotonic_now();
  if (now < look_) return;
  const auto longest = static_cast<process::Nanoseconds>(options_.patience_ms) * kMillisecond;
  look_ = now + std::max<process::Nanoseconds>(longest / 4, kMillisecond);
  const std::string span = " for " + std::to_string(options_.patience_ms) + " ms";
  process::Nanoseconds newest = 0;
  for (const Connection& connection : door_.all()) newest = std::max(newest, connection.moved);
  for (Connection& connection : door_.all()) {
    if (connection.fd < 0) continue;
    // What is less than it is woken for, it has not seen.
    if (connection.headed && now - connection.moved >= longest / 4) ready_.add(door_.at(connection.slot));
    if (now - connection.moved < longest) continue;
    if (connection.headed && resting_ && now - newest < longest) continue;
    if (connection.headed) {
      fail(connection, "the sender sent nothing" + span);
      return;
    }
    ++account_.strangers;
    door_.drop(connection);
  }
  const auto missing = std::find(taken_.begin(), taken_.end(), false);
  if (missing != taken_.end() && now - first_head_ >= longest && fault_.empty()) {
    fault_ = "stream " + std::to_string(missing - taken_.begin()) + " did not come" + span;
  }
}

Account Receiver::account() {
  if (account_.started && account_.end == 0) account_.stop(poller_.counters());
  return account_;
}

}  // namespace transfer
