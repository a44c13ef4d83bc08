#include "migrate/sender.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace migrate {
namespace {

using dispatch::Interest;
using process::kMillisecond;
using process::monotonic_now;

/// Bytes of frames that were made and not answered for. Where the codec is chosen by the link, the system's own buffers must not
/// swallow all there is before the link was seen: some of its time, and never less than keeps a fast one busy.
constexpr std::size_t kMostUnanswered = 32 << 20;
constexpr std::size_t kLeastUnanswered = 2 << 20;
constexpr double kAhead = 0.4;  // seconds of the link
/// Frames that are made ahead, for each worker.
constexpr std::size_t kMadeAhead = 2;
/// Calls of one connection before others have their turn.
constexpr int kCalls = 8;
constexpr process::Nanoseconds kRetry = 50 * kMillisecond;  // and so much longer with every try
constexpr process::Nanoseconds kLongestRetry = 1000 * kMillisecond;
/// A pass that is not shorter than this share of the one before says that memory is written to as fast as it is sent.
constexpr double kConverging = 0.9;

}  // namespace

Sender::~Sender() {
  dirtier_.reset();
  for (Connection& connection : connections_) close_down(connection);
  if (told_ != dispatch::kNoSlot) poller_.forget(told_);
}

std::string Sender::open() {
  if (!net::parse_address(options_.host, options_.port, address_)) {
    return "'" + options_.host + "' is no numeric address: --host takes one like 127.0.0.1 or ::1";
  }
  if (std::string fault = make_memory(options_, memory_); !fault.empty()) return fault;
  if (std::string fault = source_.open(memory_.bytes()); !fault.empty()) return fault;
  if (std::string fault = encoder_.open(options_.workers); !fault.empty()) return fault;
  if (const int error = poller_.add(encoder_.told(), Interest::read, told_)) {
    return std::string("cannot watch a pipe: ") + std::strerror(error);
  }
  account_.memory = memory_.bytes().size();
  session_ = Random(static_cast<std::uint64_t>(monotonic_now()) ^ static_cast<std::uint64_t>(getpid()) << 40).next();
  account_.start(poller_.counters());
  look_ = account_.begin;
  if (options_.automatic) ladder_.climb(memory_.bytes(), options_.workers);
  connections_.resize(options_.connections);
  for (std::uint32_t i = 0; i < options_.connections; ++i) {
    if (std::string fault = connect(i); !fault.empty()) return fault;
  }
  if (options_.dirty_rate > 0) {
    const std::size_t within = options_.dirty_within == 0 ? memory_.bytes().size() : options_.dirty_within;
    const auto written = memory_.bytes().first(std::min(within, memory_.bytes().size()));
    dirtier_ = std::make_unique<Dirtier>(written, options_.seed + 2);
    dirtier_->start(options_.dirty_rate);
  }
  last_ = options_.passes == 1;
  begin_pass();
  return "";
}

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

void Sender::on_event(const dispatch::Event& event) {
  if (event.slot == told_) {
    take_made();
    poller_.rearm(told_);
  } else {
    ready_.add(at_slot_[event.slot]);
  }
}

void Sender::end_turn() {
  ready_.turn([this](std::uint32_t index, dispatch::Slot& slot) {
    if (done() || connections_[index].fd < 0) return transfer::Step{};
    const bool more = step(index);
    slot = connections_[index].slot;
    return transfer::Step{.more = more};
  });
  if (!done()) go_on();
  if (!done()) look();
}

dispatch::TimeoutNs Sender::patience() const noexcept {
  if (!ready_.empty()) return 0;
  return std::max<process::Nanoseconds>(look_ - monotonic_now(), 0);
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
    const ssize_t got = net::receive(connection.fd, std::span(connection.answer).subspan(connection.answer_size));
    if (net::would_block(got)) return false;
    if (got <= 0) {
      lose(connection, index, got == 0 ? "the receiver ended it" : std::strerror(static_cast<int>(-got)));
      return false;
    }
    account_.received += static_cast<std::uint64_t>(got);
    connection.moved = monotonic_now();
    connection.answer_size += static_cast<std::size_t>(got);
    if (connection.answer_size < sizeof(Answer)) continue;
    connection.answer_size = 0;
    if (!take_answer(connection) || account_.whole) return false;
  }
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

void Sender::go_on() {
  take_made();
  give();
  fill();
  if (!finishing_ && pass_over()) end_pass();
}

void Sender::take_made() {
  const std::size_t before = made_.size();
  encoder_.take(made_);
  asked_ -= made_.size() - before;
  Pass& pass = account_.passes.back();
  for (std::size_t i = before; i < made_.size(); ++i) {
    const Frame& frame = made_[i];
    account_.make += frame.cpu;
    account_.pack += frame.pack;
    pass.pages += frame.pages;
    if (frame.bytes.empty()) continue;
    ++pass.frames;
    pass.raw += frame.raw;
    pass.wire += frame.bytes.size();
    unanswered_ += frame.bytes.size();
    ++account_.choices[{frame.choice.codec, frame.choice.level}];
  }
  const auto nothing = std::remove_if(made_.begin() + static_cast<std::ptrdiff_t>(before), made_.end(),
                                      [](const Frame& frame) { return frame.bytes.empty(); });
  made_.erase(nothing, made_.end());
}

std::size_t Sender::most_unanswered() const noexcept {
  if (!options_.automatic) return kMostUnanswered;
  const double ahead = std::min(kAhead * ladder_.link_rate(), static_cast<double>(kMostUnanswered));
  return std::max(kLeastUnanswered, static_cast<std::size_t>(ahead));
}

void Sender::fill() {
  const std::size_t ahead = kMadeAhead * options_.workers + options_.connections;
  full_ = !made_.empty() || unanswered_ >= most_unanswered();
  while (next_block_ < source_.blocks() && asked_ < kMadeAhead * options_.workers && made_.size() < ahead &&
         unanswered_ < most_unanswered()) {
    encoder_.ask(next_block_++, options_.automatic ? ladder_.choice() : options_.choice);
    ++asked_;
  }
}

/// Hands frames to connections that have none on its way.
void Sender::give() {
  for (std::uint32_t i = 0; i < connections_.size() && !made_.empty(); ++i) {
    Connection& connection = connections_[i];
    if (!connection.idle()) continue;
    connection.sent.push_back(std::move(made_.front()));
    made_.pop_front();
    connection.left = connection.sent.back().bytes.size();
    connection.moved = monotonic_now();
    ready_.add(i);
  }
}

bool Sender::pass_over() const noexcept {
  return next_block_ == source_.blocks() && asked_ == 0 && made_.empty() && unanswered_ == 0;
}

void Sender::begin_pass() {
  next_block_ = 0;
  pass_began_ = monotonic_now();
  account_.passes.emplace_back();
  fill();
}

void Sender::end_pass() {
  account_.passes.back().wall = monotonic_now() - pass_began_;
  if (last_) {
    made_.push_back(source_.finish(source_.told()));
    unanswered_ += made_.back().bytes.size();
    finishing_ = true;
    give();
    return;
  }
  last_ = last_pass_is_next();
  if (dirtier_ != nullptr && last_) {
    dirtier_->stop();
    account_.dirtied = dirtier_->written();
    stopped_ = monotonic_now();
  }
  if (options_.dirty > 0) dirty(memory_.bytes(), options_.dirty, random_);
  begin_pass();
}

bool Sender::last_pass_is_next() const noexcept {
  const std::vector<Pass>& passes = account_.passes;
  if (passes.size() + 1 >= options_.passes) return true;
  if (dirtier_ == nullptr || passes.size() < 2) return false;
  // What was written during a pass is what the next one has to send, and that takes about as long as this one did.
  const double last = static_cast<double>(passes.back().wall);
  return last <= static_cast<double>(options_.downtime_ms) * kMillisecond ||
         last > kConverging * static_cast<double>(passes[passes.size() - 2].wall);
}

void Sender::look() {
  const process::Nanoseconds now = monotonic_now();
  if (now < look_) return;
  const auto longest = static_cast<process::Nanoseconds>(options_.patience_ms) * kMillisecond;
  look_ = now + std::max<process::Nanoseconds>(longest / 4, kMillisecond);
  const std::string span = " for " + std::to_string(options_.patience_ms) + " ms";
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
    } else if ((connection.phase == Phase::connecting || !connection.sent.empty()) && now - connection.moved >= longest) {
      const char* const what = connection.phase == Phase::connecting ? "the receiver did not take it"
                               : connection.left > 0                 ? "the receiver took nothing"
                                                                     : "the receiver did not say what it got";
      fault_ = "connection " + std::to_string(i) + ": " + what + span;
      return;
    }
  }
}

Account Sender::account() {
  if (account_.started && account_.end == 0) account_.stop(poller_.counters());
  account_.link_rate = ladder_.link_rate();
  return account_;
}

}  // namespace migrate
