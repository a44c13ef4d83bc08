#include "migrate/sender.h"

#include <unistd.h>

#include <algorithm>
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
  if (options_.writer != 0) {
    if (std::string fault = writer_.open(options_.writer); !fault.empty()) return fault;
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
  return "";
}

void Sender::on_event(const dispatch::Event& event) {
  if (event.slot == told_) {
    take_made();
    poller_.rearm(told_);
  } else if (writer_.is(event.slot)) {
    if (writer_.stopped()) still();
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

void Sender::go_on() {
  take_made();
  give();
  fill();
  if (begun() && !finishing_ && !stopping_ && pass_over()) end_pass();
}

void Sender::take_made() {
  if (!begun()) return;
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
  if (!begun()) return;
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
  if (last_ && writer_.opened()) {
    // It goes on when that has stopped.
    stopping_ = true;
    stop_asked_ = monotonic_now();
    fault_ = writer_.ask_to_stop();
    return;
  }
  if (last_ && dirtier_ != nullptr) {
    dirtier_->stop();
    account_.dirtied = dirtier_->written();
    stopped_ = monotonic_now();
  }
  if (options_.dirty > 0) dirty(memory_.bytes(), options_.dirty, random_);
  begin_pass();
}

/// Who writes has stopped. One that was not asked to may have written behind this pass.
void Sender::still() {
  stopped_ = monotonic_now();
  if (stopping_) begin_pass();
  stopping_ = false;
}

bool Sender::last_pass_is_next() const noexcept {
  const std::vector<Pass>& passes = account_.passes;
  if (passes.size() + 1 >= options_.passes || stopped_ > 0) return true;
  if ((dirtier_ == nullptr && !writer_.opened()) || passes.size() < 2) return false;
  // What was written during a pass is what the next one has to send, and that takes about as long as this one did.
  const double last = static_cast<double>(passes.back().wall);
  return last <= static_cast<double>(options_.downtime_ms) * kMillisecond ||
         last > kConverging * static_cast<double>(passes[passes.size() - 2].wall);
}

Account Sender::account() {
  if (account_.started && account_.end == 0) account_.stop(poller_.counters());
  account_.link_rate = ladder_.link_rate();
  return account_;
}

}  // namespace migrate
