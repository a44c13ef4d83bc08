#include "transfer/sender.h"

#ifdef __linux__
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/sendfile.h>
#endif
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "transfer/congestion.h"
#include "transfer/connection.h"

namespace transfer {
namespace {

using dispatch::Interest;
using process::kMillisecond;
using process::monotonic_now;

}  // namespace

Sender::~Sender() {
  for (Stream& stream : streams_) {
    if (stream.slot != dispatch::kNoSlot) poller_.forget(stream.slot);
    close_all(stream);
  }
}

void Sender::close_all(Stream& stream) noexcept {
  for (int* const fd : {&stream.fd, &stream.pipe[0], &stream.pipe[1]}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
}

std::string Sender::open() {
  net::Address address;
  if (!net::parse_address(options_.host, options_.port, address)) {
    return "'" + options_.host + "' is no numeric address: --host takes one like 127.0.0.1 or ::1";
  }
  if (std::string fault = source_.open(options_.chunk, options_.memory, options_.seed); !fault.empty()) return fault;
  if (options_.way == Way::uring_zerocopy) {
    if (std::string fault = ring_.open(account_); !fault.empty()) return fault;
  }
  transfer_ = static_cast<std::uint64_t>(monotonic_now()) ^ static_cast<std::uint64_t>(getpid()) << 44;
  streams_.resize(options_.streams);
  for (std::uint32_t i = 0; i < options_.streams; ++i) {
    streams_[i].share = options_.bytes / options_.streams + (i < options_.bytes % options_.streams ? 1 : 0);
    if (std::string fault = connect(i, address); !fault.empty()) return fault;
  }
  look_ = monotonic_now();
  return "";
}

std::string Sender::connect(std::uint32_t index, const net::Address& address) {
  Stream& stream = streams_[index];
  stream.began = stream.moved = monotonic_now();
  const int fd = net::connect_tcp(address);
  if (fd < 0) return "stream " + std::to_string(index) + ": cannot connect: " + std::strerror(-fd);
  stream.fd = fd;
  if (std::string fault = choose_congestion(fd, options_.congestion); !fault.empty()) return fault;
  account_.congestion = net::congestion_control(fd);
  if (std::string fault = open_way(stream); !fault.empty()) return fault;
  if (const int error = poller_.add(fd, Interest::write, stream.slot)) {
    return "cannot watch stream " + std::to_string(index) + ": " + std::strerror(error);
  }
  if (stream.slot >= at_slot_.size()) at_slot_.resize(stream.slot + 1);
  at_slot_[stream.slot] = index;
  return "";
}

std::string Sender::open_way([[maybe_unused]] Stream& stream) {
#ifdef __linux__
  const int on = 1;
  const bool has = options_.way == Way::zerocopy ? setsockopt(stream.fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0
                   : options_.way == Way::splice ? pipe2(stream.pipe.data(), O_NONBLOCK | O_CLOEXEC) == 0
                                                 : true;
  if (!has) return std::string("--way ") + name_of(options_.way) + " is not available here: " + std::strerror(errno);
#endif
  return "";
}

void Sender::on_event(const dispatch::Event& event) {
  const std::uint32_t index = at_slot_[event.slot];
  Stream& stream = streams_[index];
  // What became of sends without a copy waits in the socket's queue of errors, which is an event until it is read.
  if (stream.unfinished > 0 && (event.flags & dispatch::error) != 0) read_completions(stream);
  ready_.add(index);
}

void Sender::end_turn() {
  ready_.turn([this](std::uint32_t index, dispatch::Slot& slot) {
    if (!fault_.empty()) return Step{};
    const Step taken = step(index);
    slot = streams_[index].slot;
    return taken;
  });
  adapt();
  look_for_stalls();
}

dispatch::TimeoutNs Sender::patience() const noexcept {
  if (!ready_.empty()) return 0;
  process::Nanoseconds next = look_;
  if (account_.adaptive && !over()) next = std::min({next, account_.adaptive->due(), deadline_});
  return std::max<process::Nanoseconds>(next - monotonic_now(), 0);
}

Step Sender::step(std::uint32_t index) {
  Stream& stream = streams_[index];
  switch (stream.phase) {
    case Phase::connecting: return step_connecting(stream, index);
    case Phase::head: return send_note(stream, index, Phase::connected);
    case Phase::data: return step_data(stream, index);
    case Phase::tail: return send_note(stream, index, Phase::answer);
    case Phase::answer: return step_answer(stream, index);
    case Phase::resting:
    case Phase::connected:
      // It asks for nothing, so what is told of it is its end.
      if (const int error = net::take_error(stream.fd)) fail(index, std::string("the connection broke: ") + std::strerror(error));
      return {};
    case Phase::ended: return {};
  }
  return {};
}

template <class Note>
void Sender::put_note(Stream& stream, const Note& note) noexcept {
  static_assert(sizeof note <= sizeof stream.note);
  std::memcpy(stream.note.data(), &note, sizeof note);
  stream.note_size = sizeof note;
  stream.note_at = 0;
}

Step Sender::step_connecting(Stream& stream, std::uint32_t index) {
  if (const int error = net::take_error(stream.fd)) {
    fail(index, "cannot connect: " + std::string(std::strerror(error)));
    return {};
  }
  stream.moved = monotonic_now();
  stream.account.connect = stream.moved - stream.began;
  stream.phase = Phase::head;
  put_note(stream, Head{.transfer = transfer_,
                        .stream = index,
                        .streams = options_.streams,
                        .checked = options_.checked ? 1u : 0u,
                        .resting = options_.adaptive ? 1u : 0u});
  return {0, true};
}

Step Sender::send_note(Stream& stream, std::uint32_t index, Phase next) {
  const auto left = std::span(stream.note).subspan(stream.note_at, stream.note_size - stream.note_at);
  const ssize_t sent = net::transmit(stream.fd, left);
  if (net::would_block(sent)) return {};
  if (sent < 0) {
    fail(index, "sending failed: " + std::string(std::strerror(static_cast<int>(-sent))));
    return {};
  }
  stream.moved = monotonic_now();
  stream.note_at += static_cast<std::size_t>(sent);
  if (stream.note_at < stream.note_size) return {0, true};
  stream.phase = next;
  if (next == Phase::connected) {
    poller_.modify(stream.slot, Interest::none);
    if (++standing_ == streams_.size()) start_data();
    return {};
  }
  shutdown(stream.fd, SHUT_WR);
  stream.note_at = 0;
  poller_.modify(stream.slot, Interest::read);
  return {0, true};
}

void Sender::start_data() {
  account_.start(poller_.counters());
  if (options_.duration_ms > 0) {
    deadline_ = account_.begin + static_cast<process::Nanoseconds>(options_.duration_ms) * kMillisecond;
  }
  std::size_t first = streams_.size();
  if (options_.adaptive) {
    process::Nanoseconds shortest = INT64_MAX;
    for (const Stream& stream : streams_) shortest = std::min(shortest, round_trip(stream.fd));
    account_.adaptive.emplace(options_.streams).begin(account_.begin, shortest);
    first = account_.adaptive->streams();
  }
  for (std::uint32_t i = 0; i < streams_.size(); ++i) {
    streams_[i].phase = Phase::resting;
    if (i < first) wake(i);
  }
}

void Sender::wake(std::uint32_t index) {
  Stream& stream = streams_[index];
  stream.phase = Phase::data;
  stream.moved = monotonic_now();
  poller_.modify(stream.slot, Interest::write);
  ready_.add(index);
}

/// Lets as many streams send as pay, and all of them end when the time is over.
void Sender::adapt() {
  if (!account_.adaptive || !account_.started) return;
  Adaptive& adaptive = *account_.adaptive;
  std::size_t wanted = streams_.size();
  if (!over()) {
    const process::Nanoseconds now = monotonic_now();
    if (now < adaptive.due()) return;
    std::uint64_t arrived = 0;
    for (const Stream& stream : streams_) arrived += acknowledged(stream.fd);
    account_.calls.looks += streams_.size();
    adaptive.look(now, arrived);
    wanted = adaptive.streams();
  }
  for (std::uint32_t i = 0; i < streams_.size(); ++i) {
    Stream& stream = streams_[i];
    if (i < wanted && stream.phase == Phase::resting) wake(i);
    if (i >= wanted && stream.phase == Phase::data) {
      stream.phase = Phase::resting;
      poller_.modify(stream.slot, Interest::none);
    }
  }
}

void Sender::end_data(Stream& stream) noexcept {
  stream.account.digest = options_.checked ? stream.hash.digest() : 0;
  stream.phase = Phase::tail;
  put_note(stream, Tail{.bytes = stream.account.bytes, .digest = stream.account.digest});
}

Step Sender::step_data(Stream& stream, std::uint32_t index) {
  if (deadline_ > 0 ? over() : stream.account.bytes == stream.share) {
    end_data(stream);
    return send_note(stream, index, Phase::answer);
  }
  std::span<const std::byte> piece = source_.piece(index, stream.account.bytes);
  if (deadline_ == 0 && piece.size() > stream.share - stream.account.bytes) {
    piece = piece.first(static_cast<std::size_t>(stream.share - stream.account.bytes));
  }
  if (const int error = fill_pipe(stream, piece)) {
    fail(index, "the pipe could not be filled: " + std::string(std::strerror(error)));
    return {};
  }
  const ssize_t sent = send_piece(stream, piece);
  if (net::would_block(sent)) {
    ++account_.calls.blocked;
    if (stream.unfinished > 0) read_completions(stream);
    return {};
  }
  if (sent < 0) {
    fail(index, "sending failed: " + std::string(std::strerror(static_cast<int>(-sent))));
    return {};
  }
  const std::span<const std::byte> taken = piece.first(static_cast<std::size_t>(sent));
  if (options_.checked) stream.hash.update(taken);
  stream.account.bytes += taken.size();
  stream.moved = monotonic_now();
  return {taken.size(), ready_.may_go_on(taken.size(), piece.size())};
}

/// In the way splice: narrows `piece` to what is in the stream's pipe, and puts it there first where that is empty. 0 or an
/// errno.
int Sender::fill_pipe([[maybe_unused]] Stream& stream, [[maybe_unused]] std::span<const std::byte>& piece) {
#ifdef __linux__
  if (options_.way != Way::splice) return 0;
  if (stream.piped == 0) {
    ++account_.calls.fills;
    auto from = static_cast<loff_t>(source_.offset(piece));
    const ssize_t filled = splice(source_.file(), &from, stream.pipe[1], nullptr, piece.size(), SPLICE_F_NONBLOCK);
    if (filled < 0) return errno;
    stream.piped = static_cast<std::size_t>(filled);
  }
  // What is in it is never behind the piece: both begin where the stream is, and a piece ends at a fixed place.
  piece = piece.first(stream.piped);
#endif
  return 0;
}

ssize_t Sender::send_piece(Stream& stream, std::span<const std::byte> piece) {
  ++account_.calls.sends;
#ifdef __linux__
  if (options_.way == Way::sendfile) {
    auto from = static_cast<off_t>(source_.offset(piece));
    const ssize_t sent = ::sendfile(stream.fd, source_.file(), &from, piece.size());
    return sent < 0 ? -errno : sent;
  }
  if (options_.way == Way::splice) {
    const ssize_t sent = splice(stream.pipe[0], nullptr, stream.fd, nullptr, piece.size(), SPLICE_F_NONBLOCK);
    if (sent < 0) return -errno;
    stream.piped -= static_cast<std::size_t>(sent);
    return sent;
  }
  if (options_.way == Way::uring_zerocopy) return ring_.send(stream.fd, piece);
  if (options_.way == Way::zerocopy) {
    const ssize_t sent = send(stream.fd, piece.data(), piece.size(), MSG_ZEROCOPY | MSG_NOSIGNAL);
    if (sent >= 0) {
      ++account_.zero_copy.sends;
      ++stream.unfinished;
      return sent;
    }
    if (errno != ENOBUFS) return -errno;
    ++account_.zero_copy.fell_back;
    read_completions(stream);
    ++account_.calls.sends;
  }
#endif
  return net::transmit(stream.fd, piece);
}

/// Takes what there is. One note stands for a range of sends.
void Sender::read_completions([[maybe_unused]] Stream& stream) {
#ifdef __linux__
  while (stream.unfinished > 0) {
    alignas(cmsghdr) char control[128];
    msghdr message{};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ++account_.calls.completions;
    if (recvmsg(stream.fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
      const bool ours = (part->cmsg_level == SOL_IP && part->cmsg_type == IP_RECVERR) ||
                        (part->cmsg_level == SOL_IPV6 && part->cmsg_type == IPV6_RECVERR);
      if (!ours) continue;
      sock_extended_err note{};
      std::memcpy(&note, CMSG_DATA(part), sizeof note);
      if (note.ee_origin != SO_EE_ORIGIN_ZEROCOPY) continue;
      const std::uint64_t range = note.ee_data - note.ee_info + 1u;
      stream.unfinished -= std::min(range, stream.unfinished);
      account_.zero_copy.completed += range;
      if ((note.ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0) account_.zero_copy.copied += range;
    }
  }
#endif
}

Step Sender::step_answer(Stream& stream, std::uint32_t index) {
  const auto room = std::span(stream.note).subspan(stream.note_at, sizeof(Tail) - stream.note_at);
  const ssize_t got = net::receive(stream.fd, room);
  if (net::would_block(got)) {
    // Mechanisms without a flag for errors say "readable" of notes of completion too.
    read_completions(stream);
    return {};
  }
  if (got <= 0) {
    fail(index, got == 0 ? "the receiver ended it without a word on what it got"
                         : "the receiver's answer was lost: " + std::string(std::strerror(static_cast<int>(-got))));
    return {};
  }
  stream.moved = monotonic_now();
  stream.note_at += static_cast<std::size_t>(got);
  if (stream.note_at < sizeof(Tail)) return {0, true};
  Tail answer;
  std::memcpy(&answer, stream.note.data(), sizeof answer);
  const StreamAccount& sent = stream.account;
  stream.account.whole =
      answer.mark == kAnswerMark && answer.bytes == sent.bytes && answer.digest == sent.digest;
  if (!stream.account.whole) {
    fail(index, answer.mark != kAnswerMark ? "the receiver's answer is none"
                : answer.bytes != sent.bytes
                    ? "the receiver got " + std::to_string(answer.bytes) + " bytes of " + std::to_string(sent.bytes)
                    : std::string("the receiver got other bytes than were sent (their checksum differs)"));
    return {};
  }
  end(stream);
  return {};
}

void Sender::end(Stream& stream) {
  stream.account.retransmits = retransmits(stream.fd);
  read_completions(stream);
  poller_.forget(stream.slot);
  stream.slot = dispatch::kNoSlot;
  close_all(stream);
  stream.phase = Phase::ended;
  if (++ended_ < streams_.size()) return;
  ring_.settle();
  account_.stop(poller_.counters());
}

void Sender::fail(std::uint32_t index, const std::string& what) {
  if (fault_.empty()) fault_ = "stream " + std::to_string(index) + ": " + what;
}

void Sender::look_for_stalls() {
  const process::Nanoseconds now = monotonic_now();
  if (now < look_) return;
  const auto longest = static_cast<process::Nanoseconds>(options_.patience_ms) * kMillisecond;
  look_ = now + std::max<process::Nanoseconds>(longest / 4, kMillisecond);
  for (std::uint32_t i = 0; i < streams_.size(); ++i) {
    const Stream& stream = streams_[i];
    if (stream.phase == Phase::ended || now - stream.moved < longest) continue;
    // One that stands waits for those that do not, or until more are wanted.
    if (stream.phase == Phase::connected || stream.phase == Phase::resting) continue;
    const char* const what = stream.phase == Phase::connecting ? "the receiver did not take the connection"
                             : stream.phase == Phase::answer   ? "the receiver did not say what it got"
                                                               : "the receiver took nothing";
    fail(i, std::string(what) + " for " + std::to_string(options_.patience_ms) + " ms");
    return;
  }
}

Account Sender::account() {
  if (account_.started && account_.end == 0) account_.stop(poller_.counters());
  account_.checked = options_.checked;
  account_.streams.clear();
  for (const Stream& stream : streams_) account_.streams.push_back(stream.account);
  return account_;
}

}  // namespace transfer
