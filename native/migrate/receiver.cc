#include "migrate/receiver.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace migrate {
namespace {

using dispatch::Interest;
using process::kMillisecond;
using process::monotonic_now;

/// A sender that takes no answers is given no more of them, bytes, than the longest greeting has.
constexpr std::size_t kMostAnswers = sizeof(Greeting) + kMostMemory / kBlock * sizeof(std::uint64_t);
/// Calls of one connection before others have their turn.
constexpr int kCalls = 8;

}  // namespace

std::string Receiver::open() {
  look_ = monotonic_now();
  return door_.open(options_.host, options_.port, kMostHeld);
}

void Receiver::on_event(const dispatch::Event& event) {
  if (!door_.is(event.slot)) return ready_.add(door_.at(event.slot));
  if (const std::string fault = door_.admit(account_.strangers); !fault.empty()) fail(fault);
}

void Receiver::end_turn() {
  ready_.turn([this](std::uint32_t index, dispatch::Slot& slot) {
    if (door_[index].fd < 0) return transfer::Step{};
    const bool more = step(index);
    slot = door_[index].slot;
    return transfer::Step{.more = more};
  });
  look_for_stalls();
}

dispatch::TimeoutNs Receiver::patience() const noexcept {
  if (!ready_.empty()) return 0;
  // Nobody is there yet: a receiver waits for its sender as long as it takes.
  if (!store_.opened() && door_.empty()) return dispatch::kForever;
  return std::max<process::Nanoseconds>(look_ - monotonic_now(), 0);
}

bool Receiver::step(std::uint32_t index) {
  Connection& connection = door_[index];
  if (!connection.answers.empty() && !flush(connection)) return false;
  if (!fault_.empty() || store_.finished()) return false;
  return connection.known ? step_frames(connection) : step_hello(connection);
}

bool Receiver::step_hello(Connection& connection) {
  const ssize_t got = net::receive(connection.fd, std::span(connection.hello).subspan(connection.hello_size));
  if (net::would_block(got)) return false;
  if (got > 0) {
    connection.moved = monotonic_now();
    connection.hello_size += static_cast<std::size_t>(got);
    if (connection.hello_size < sizeof(Hello) || take_hello(connection)) return true;
  }
  ++account_.strangers;
  drop(connection);
  return false;
}

/// False: it has nothing to do with this session.
bool Receiver::take_hello(Connection& connection) {
  Hello hello;
  std::memcpy(&hello, connection.hello.data(), sizeof hello);
  if (hello.mark != kHelloMark || hello.check != check_of(hello) || hello.bytes == 0 || hello.bytes % kPage != 0 ||
      hello.connections == 0 || hello.connections > kMostConnections || hello.connection >= hello.connections) {
    return false;
  }
  if (!store_.opened()) {
    if (hello.bytes > options_.most) {
      fail("the sender has " + std::to_string(hello.bytes) + " bytes of memory, and --most allows " +
           std::to_string(options_.most));
      return true;
    }
    if (const std::string fault = store_.open(hello.bytes, options_.into, options_.keep); !fault.empty()) {
      fail(fault);
      return true;
    }
    session_ = hello.session;
    account_.memory = hello.bytes;
    account_.start(poller_.counters());
    moved_ = account_.begin;
  }
  if (hello.session != session_ || hello.bytes != store_.bytes()) return false;
  connection.known = true;
  if (hello.connection == 0) greet(connection);
  return true;
}

void Receiver::greet(Connection& connection) {
  const auto list = std::as_bytes(store_.found());
  const Greeting greeting =
      sealed(Greeting{.blocks = static_cast<std::uint32_t>(store_.found().size()), .list = digest_of(list)});
  const auto head = std::as_bytes(std::span(&greeting, 1));
  connection.answers.assign(head.begin(), head.end());
  connection.answers.insert(connection.answers.end(), list.begin(), list.end());
  flush(connection);
}

bool Receiver::step_frames(Connection& connection) {
  for (int call = 0; call < kCalls; ++call) {
    const ssize_t got = net::receive(connection.fd, connection.intake.room());
    if (net::would_block(got)) return false;
    if (got <= 0) {
      lose(connection);
      return false;
    }
    account_.received += static_cast<std::uint64_t>(got);
    connection.moved = moved_ = monotonic_now();
    if (const char* why = connection.intake.advance(static_cast<std::size_t>(got), store_.bytes())) {
      fail(why);
      answer(connection, Verdict::refused);
      return false;
    }
    if (!connection.intake.whole()) continue;
    take_frame(connection);
    if (connection.fd < 0 || !fault_.empty() || store_.finished() || !connection.answers.empty()) return false;
  }
  return true;
}

void Receiver::take_frame(Connection& connection) {
  const std::string fault = store_.take(connection.intake.head(), connection.intake.body());
  if (!fault.empty()) fail(fault);
  answer(connection, fault.empty() ? Verdict::taken : Verdict::refused);
  if (connection.fd >= 0) connection.intake.next();
  if (store_.finished()) {
    account_.whole = true;
    account_.digest = store_.whole();
    account_.stop(poller_.counters());
  }
}

void Receiver::answer(Connection& connection, Verdict verdict) {
  const FrameHead& head = connection.intake.head();
  const bool block = head.kind == FrameKind::block && head.block < blocks_of(store_.bytes());
  const Answer answer = sealed(Answer{.block = head.block,
                                      .kind = head.kind,
                                      .verdict = verdict,
                                      .digest = block ? store_.digest(head.block) : store_.whole()});
  const auto bytes = std::as_bytes(std::span(&answer, 1));
  connection.answers.insert(connection.answers.end(), bytes.begin(), bytes.end());
  flush(connection);
}

/// False: the connection was lost, or has no room. What it has no room for is tried again when it has.
bool Receiver::flush(Connection& connection) {
  const ssize_t sent = net::transmit(connection.fd, connection.answers);
  if (sent < 0 && !net::would_block(sent)) {
    answered_ = true;
    lose(connection);
    return false;
  }
  if (sent > 0) {
    connection.answers.erase(connection.answers.begin(), connection.answers.begin() + sent);
    account_.sent += static_cast<std::uint64_t>(sent);
    connection.moved = monotonic_now();
  }
  answered_ = connection.answers.empty();
  if (connection.answers.size() > kMostAnswers) {
    lose(connection);
    return false;
  }
  // One that has answers to take is not received from.
  poller_.modify(connection.slot, answered_ ? Interest::read : Interest::write);
  return answered_;
}

void Receiver::drop(Connection& connection) {
  connection.answers.clear();
  door_.drop(connection);
}

/// One that was cut: the sender may come again.
void Receiver::lose(Connection& connection) {
  ++account_.lost;
  drop(connection);
}

void Receiver::fail(const std::string& what) {
  if (fault_.empty()) fault_ = what;
  // Before anybody is told.
  store_.abandon();
}

void Receiver::look_for_stalls() {
  const process::Nanoseconds now = monotonic_now();
  if (now < look_) return;
  const auto longest = static_cast<process::Nanoseconds>(options_.patience_ms) * kMillisecond;
  look_ = now + std::max<process::Nanoseconds>(longest / 4, kMillisecond);
  const std::string span = " for " + std::to_string(options_.patience_ms) + " ms";
  for (Connection& connection : door_.all()) {
    if (connection.fd < 0 || now - connection.moved < longest) continue;
    if (!connection.known) {
      ++account_.strangers;
      drop(connection);
    } else if (!connection.answers.empty()) {
      answered_ = true;
      fail("the sender took no answer" + span);
    } else if (!connection.intake.empty()) {
      fail("the sender began a frame and sent no more of it" + span);
    }
  }
  if (store_.opened() && !store_.finished() && now - moved_ >= longest) fail("the sender sent nothing" + span);
}

Account Receiver::account() {
  if (account_.started && account_.end == 0) account_.stop(poller_.counters());
  account_.store = store_.counts();
  return account_;
}

}  // namespace migrate
