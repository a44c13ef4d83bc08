// Of the sender: its connections, what it says and is told over them, and what becomes of those that are lost.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "migrate/sender.h"

namespace migrate {
namespace {

using dispatch::Interest;
using process::kMillisecond;
using process::monotonic_now;

/// Calls of one connection before others have their turn.
constexpr int kCalls = 8;
constexpr process::Nanoseconds kRetry = 50 * kMillisecond;  // and so much longer with every try
constexpr process::Nanoseconds kLongestRetry = 1000 * kMillisecond;

}  // namespace

std::string Sender::connect(std::uint32_t index) {
  Connection& connection = connections_[index];
  const int fd = net::connect_tcp(address_);
  if (fd < 0) return std::string("cannot open a connection: ") + std::strerror(-fd);
  if (const int error = poller_.add(fd, Interest::both, connection.slot)) {
    close(fd);
    return std::string("cannot watch a connection: ") + std::strerror(error);
  }
  connection.fd = fd;
  connection.phase = Phase::connecting;
  connection.moved = monotonic_now();
  connection.answer_size = 0;
  connection.greeting = GreetingIntake();
  connection.greeted = index != 0;
  const Hello hello = sealed(Hello{.session = session_,
                                   .bytes = account_.memory,
                                   .connection = index,
                                   .connections = options_.connections});
  const auto bytes = std::as_bytes(std::span(&hello, 1));
  connection.hello.assign(bytes.begin(), bytes.end());
  if (connection.slot >= at_slot_.size()) at_slot_.resize(connection.slot + 1);
  at_slot_[connection.slot] = index;
  return "";
}

bool Sender::step(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.phase == Phase::connecting) {
    if (const int error = net::take_error(connection.fd)) {
      lose(connection, index, std::string("cannot connect: ") + std::strerror(error));
      return false;
    }
    connection.phase = Phase::standing;
  }
  const bool received = receive(connection, index);
  if (connection.fd < 0 || done()) return false;
  const bool sent = send(connection, index);
  return connection.fd >= 0 && (received || sent);
}

/// Whether there may be more.
bool Sender::receive(Connection& connection, std::uint32_t index) {
  for (int call = 0; call < kCalls; ++call) {
    const auto room = connection.greeted ? std::span(connection.answer).subspan(connection.answer_size)
                                         : connection.greeting.room();
    const ssize_t got = net::receive(connection.fd, room);
    if (net::would_block(got)) return false;
    if (got <= 0) {
      lose(connection, index, got == 0 ? "the receiver ended it" : std::strerror(static_cast<int>(-got)));
      return false;
    }
    account_.received += static_cast<std::uint64_t>(got);
    connection.moved = monotonic_now();
    if (!connection.greeted) {
      if (!take_greeting(connection, static_cast<std::size_t>(got))) return false;
      continue;
    }
    connection.answer_size += static_cast<std::size_t>(got);
    if (connection.answer_size < sizeof(Answer)) continue;
    connection.answer_size = 0;
    if (!take_answer(connection) || account_.whole) return false;
  }
  return true;
}

bool Sender::take_greeting(Connection& connection, std::size_t came) {
  if (!connection.greeting.advance(came, source_.blocks())) {
    fault_ = "the receiver's greeting is none";
    return false;
  }
  connection.greeted = connection.greeting.whole();
  if (!connection.greeted || begun()) return true;
  if (!connection.greeting.digests().empty()) source_.begin_with(connection.greeting.digests());
  begin_pass();
  return true;
}

bool Sender::take_answer(Connection& connection) {
  Answer answer;
  std::memcpy(&answer, connection.answer.data(), sizeof answer);
  if (answer.mark != kAnswerMark || answer.check != check_of(answer)) {
    fault_ = "the receiver's answer is none";
    return false;
  }
  if (answer.verdict != Verdict::taken) {
    fault_ = answer.kind == FrameKind::finish ? std::string("the receiver refused the whole: it has other bytes")
                                              : "the receiver refused what came for block " + std::to_string(answer.block);
    return false;
  }
  // In the order in which they were sent, and only those that were sent whole.
  const std::size_t whole = connection.sent.size() - (connection.left > 0 ? 1 : 0);
  FrameHead head;
  if (whole > 0) std::memcpy(&head, connection.sent.front().bytes.data(), sizeof head);
  if (whole == 0 || head.block != answer.block || head.kind != answer.kind || head.digest != answer.digest) {
    fault_ = "the receiver answered for what it was not sent";
    return false;
  }
  const std::size_t bytes = connection.sent.front().bytes.size();
  connection.sent.pop_front();
  connection.tries = 0;
  unanswered_ -= bytes;
  if (answer.kind == FrameKind::finish) {
    account_.whole = true;
    account_.digest = answer.digest;
    account_.stop(poller_.counters());
    if (stopped_ > 0) account_.down = account_.end - stopped_;
  } else if (options_.automatic) {
    ladder_.measured(bytes, full_, connection.moved);
  }
  return true;
}

/// Whether there may be room for more.
bool Sender::send(Connection& connection, std::uint32_t index) {
  std::size_t written = 0;
  if (!connection.hello.empty()) {
    if (!write(connection, index, connection.hello, written)) return false;
    connection.hello.erase(connection.hello.begin(), connection.hello.begin() + static_cast<std::ptrdiff_t>(written));
    if (!connection.hello.empty()) return true;
  }
  for (int call = 0; call < kCalls; ++call) {
    if (connection.left == 0) give();
    if (connection.left == 0) {
      // Nothing to send is nothing to be woken for.
      poller_.modify(connection.slot, Interest::read);
      return false;
    }
    const std::span<const std::byte> bytes(connection.sent.back().bytes);
    if (!write(connection, index, bytes.last(connection.left), written)) {
      if (connection.fd >= 0) poller_.modify(connection.slot, Interest::both);
      return false;
    }
    connection.left -= written;
  }
  ready_.add(index);
  return true;
}

/// False: there is no room, or the connection is lost.
bool Sender::write(Connection& connection, std::uint32_t index, std::span<const std::byte> bytes, std::size_t& written) {
  const ssize_t sent = net::transmit(connection.fd, bytes);
  if (net::would_block(sent)) return false;
  if (sent < 0) {
    lose(connection, index, std::strerror(static_cast<int>(-sent)));
    return false;
  }
  written = static_cast<std::size_t>(sent);
  account_.sent += written;
  connection.moved = monotonic_now();
  return true;
}

void Sender::close_down(Connection& connection) noexcept {
  if (connection.fd < 0) return;
  poller_.forget(connection.slot);
  close(connection.fd);
  connection.fd = -1;
  connection.slot = dispatch::kNoSlot;
}

void Sender::lose(Connection& connection, std::uint32_t index, const std::string& what) {
  if (connection.phase == Phase::standing) ++account_.lost;
  close_down(connection);
  connection.phase = Phase::lost;
  connection.left = 0;
  account_.again += connection.sent.size();
  // What the receiver has of them already it knows by their digests.
  for (; !connection.sent.empty(); connection.sent.pop_back()) made_.push_front(std::move(connection.sent.back()));
  if (connection.tries >= options_.tries) {
    const std::string after = options_.tries == 0 ? "" : ", and " + std::to_string(options_.tries) + " more tries did not help";
    fault_ = "connection " + std::to_string(index) + " was lost" + after + ": " + what;
    return;
  }
  ++connection.tries;
  connection.again = monotonic_now() + std::min(kRetry * connection.tries, kLongestRetry);
  look_ = std::min(look_, connection.again);
}

void Sender::look() {
  const process::Nanoseconds now = monotonic_now();
  if (now < look_) return;
  const auto longest = static_cast<process::Nanoseconds>(options_.patience_ms) * kMillisecond;
  look_ = now + std::max<process::Nanoseconds>(longest / 4, kMillisecond);
  const std::string span = " for " + std::to_string(options_.patience_ms) + " ms";
  if (stopping_ && now - stop_asked_ >= longest) {
    fault_ = "who writes into the memory did not stop" + span;
    return;
  }
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    if (connection.phase == Phase::lost) {
      if (now >= connection.again) {
        if (std::string fault = connect(i); !fault.empty()) {
          fault_ = fault;
          return;
        }
      } else {
        look_ = std::min(look_, connection.again);
      }
    } else if ((connection.phase == Phase::connecting || !connection.greeted || !connection.sent.empty()) &&
               now - connection.moved >= longest) {
      const char* const what = connection.phase == Phase::connecting ? "the receiver did not take it"
                               : !connection.greeted                 ? "the receiver did not say what it has"
                               : connection.left > 0                 ? "the receiver took nothing"
                                                                     : "the receiver did not say what it got";
      fault_ = "connection " + std::to_string(i) + ": " + what + span;
      return;
    }
  }
}

}  // namespace migrate
