#include "load/engine.h"

#include <algorithm>

namespace load {
namespace {

constexpr Nanoseconds kLongestWait = 20 * kMillisecond;  // stop() is heard this late at most
constexpr Nanoseconds kToldWait = kMillisecond;          // begin() and end(), for which somebody waits
constexpr std::size_t kBatch = 512;                      // rows of one wait
constexpr int kBurst = 64;                               // requests issued before replies are looked at again

}  // namespace

void Engine::run() {
  dispatch::Probe probe;
  poller_ = dispatch::Poller::open(plan_.backend, probe);
  if (!poller_) {
    error_ = probe.error;
    return enter(LoadPhase::failed);
  }
  events_.resize(kBatch);
  if (open_loop()) pacer_.calibrate(*poller_);
  dialer_ = std::make_unique<Dialer>(plan_.dial, *poller_);
  const std::uint32_t connections = plan_.dial.connections;
  channels_ = std::make_unique<Channels>(
      *poller_, *dialer_,
      plan_.http ? make_http_exchange(connections, plan_.host, plan_.path, plan_.any_body)
                 : make_echo_exchange(connections, plan_.size),
      plan_.pipelining, plan_.timeout, static_cast<ChannelListener&>(*this));
  while (!stopping() && phase() < LoadPhase::done) turn();
  channels_.reset();
  dialer_.reset();  // closes the connections
}

void Engine::turn() {
  const Nanoseconds now = monotonic_now();
  advance_phase(now);
  if (phase() >= LoadPhase::done) return;
  dialer_->dial(now);
  channels_->sweep(now);
  if (open_loop() && phase() >= LoadPhase::running) issue(now);

  const dispatch::TimeoutNs timeout = wait_time(now);
  const dispatch::WaitResult result = poller_->wait(events_, timeout);
  if (result.error != 0) {
    error_ = result.error;
    return enter(LoadPhase::failed);
  }
  const Nanoseconds woke = monotonic_now();
  if (timeout == 0 && result.count == 0) pacer_.spun(now, woke);
  for (int i = 0; i < result.count; ++i) {
    const dispatch::Event& event = events_[static_cast<std::size_t>(i)];
    if (!poller_->current(event)) continue;
    const std::uint32_t id = dialer_->id_of(event.slot);
    if (dialer_->standing(id)) {
      channels_->on_event(id, event);
    } else if (dialer_->on_event(id, woke) == Dialer::Outcome::opened) {
      tally_.connect.record(dialer_->handshake(id, woke));
      channels_->opened(id);
      offer(id, woke);
    }
  }
  progress_.standing.store(dialer_->standing_count(), std::memory_order_relaxed);
  progress_.replies.store(replies_, std::memory_order_relaxed);
  progress_.errors.store(errors_, std::memory_order_relaxed);
}

void Engine::advance_phase(Nanoseconds now) {
  if (phase() == LoadPhase::connecting) check_connecting(now);
  if (phase() == LoadPhase::connected && begin_.load(std::memory_order_acquire)) start_sending(now);
  if (phase() == LoadPhase::running && !in_window_ && now >= tally_.window_start) {
    in_window_ = true;
    tally_.at_start = meter();
  }
  if (phase() == LoadPhase::running && now >= tally_.window_end) {
    tally_.at_end = meter();
    enter(LoadPhase::draining);
  }
  if (phase() == LoadPhase::draining && end_.load(std::memory_order_acquire)) {
    const bool all_sent = !open_loop() || next_due() >= tally_.window_end;
    if ((all_sent && channels_->outstanding() == 0) || now >= tally_.window_end + 2 * plan_.timeout) finish();
  }
}

void Engine::check_connecting(Nanoseconds now) {
  if (dialer_->standing_count() == dialer_->connections()) {
    connect_time_ = dialer_->elapsed(now);
    return enter(LoadPhase::connected);
  }
  error_ = dialer_->hopeless(now);
  if (error_ != 0) enter(LoadPhase::failed);
}

void Engine::start_sending(Nanoseconds now) {
  tally_.window_start = now + plan_.warmup;
  tally_.window_end = tally_.window_start + plan_.window;
  progress_.window_start.store(tally_.window_start, std::memory_order_relaxed);
  progress_.window_end.store(tally_.window_end, std::memory_order_relaxed);
  enter(LoadPhase::running);
  if (open_loop()) schedule_ = Schedule(plan_.arrival, plan_.rate, now, plan_.seed + 1);
  for (std::uint32_t id = 0; !open_loop() && id < dialer_->connections(); ++id) offer(id, monotonic_now());
}

void Engine::finish() {
  channels_->abandon();
  if (open_loop()) {
    for (Nanoseconds due = next_due(); due < tally_.window_end; due = next_due()) expire(due);
  }
  enter(LoadPhase::done);
}

/// The window has a schedule of its own, so that its first request is due at its very start, whatever the warm-up.
Nanoseconds Engine::next_due() noexcept {
  if (!window_scheduled_ && schedule_.due() >= tally_.window_start) {
    schedule_ = Schedule(plan_.arrival, plan_.rate, tally_.window_start, plan_.seed);
    window_scheduled_ = true;
  }
  return schedule_.due();
}

void Engine::issue(Nanoseconds now) {
  Nanoseconds due = next_due();
  for (; due < tally_.window_end && now - due > plan_.timeout; due = next_due()) expire(due);
  for (int i = 0; i < kBurst && due <= now && due < tally_.window_end && send_one(due); ++i) due = next_due();
}

/// Sends the request due at `due` on the least recently used free connection; false when there is none.
bool Engine::send_one(Nanoseconds due) {
  while (!free_.empty() && !channels_->can_take(free_.front())) free_.pop();
  if (free_.empty()) return false;
  const std::uint32_t id = free_.pop();
  schedule_.advance();
  const Nanoseconds sent = monotonic_now();
  if (tally_.covers(due)) {
    const Nanoseconds lag = sent - due;
    ++tally_.requests;
    tally_.send_lag.record(lag);
    if (due <= freed_at_) {
      ++tally_.backlogged;
    } else {
      const std::size_t half = due - tally_.window_start < plan_.window / 2 ? 0 : 1;
      tally_.lag_sum[half] += static_cast<double>(lag);
      ++tally_.lag_count[half];
    }
  }
  channels_->take(id, {due, sent});
  if (channels_->can_take(id)) free_.push(id);
  channels_->flush(id);
  return true;
}

/// A request that was due so long ago that it is a timeout without having been sent.
void Engine::expire(Nanoseconds due) noexcept {
  schedule_.advance();
  if (!tally_.covers(due)) return;
  ++tally_.requests;
  if (free_.empty()) ++tally_.backlogged;
  lost({due, due}, ErrorKind::timeout);
}

/// A connection can take requests: closed loop gives it what it can take, open loop remembers it.
void Engine::offer(std::uint32_t id, Nanoseconds now) {
  if (open_loop()) {
    if (free_.empty()) freed_at_ = now;
    return free_.push(id);
  }
  if (!sending(now)) return;
  while (channels_->can_take(id)) {
    if (tally_.covers(now)) ++tally_.requests;
    channels_->take(id, {now, now});
  }
  channels_->flush(id);
}

void Engine::replied(std::uint32_t id, const Request& request, Nanoseconds at, Verdict verdict) {
  ++replies_;
  if (tally_.covers(at)) ++tally_.replies;
  const bool wrong = verdict == Verdict::mismatch || verdict == Verdict::broken;
  if (verdict != Verdict::good) ++errors_;
  if (tally_.covers(request.intended)) {
    if (verdict != Verdict::good) tally_.error(wrong ? ErrorKind::mismatch : ErrorKind::status);
    if (!wrong) {
      tally_.latency.record(at - request.intended);
      if (open_loop()) tally_.uncorrected.record(at - request.sent);
    }
  }
  if (!channels_->can_take(id)) return;
  if (open_loop()) {
    offer(id, at);
  } else if (sending(at)) {
    if (tally_.covers(at)) ++tally_.requests;
    channels_->take(id, {at, at});
  }
}

void Engine::lost(const Request& request, ErrorKind kind) {
  ++errors_;
  if (tally_.covers(request.intended)) tally_.error(kind);
}

void Engine::ended(std::uint32_t) {
  if (in_window_ && phase() == LoadPhase::running) ++tally_.reconnects;
}

void Engine::unsolicited() {
  ++errors_;
  if (in_window_ && phase() == LoadPhase::running) tally_.error(ErrorKind::other);
}

dispatch::TimeoutNs Engine::wait_time(Nanoseconds now) noexcept {
  const bool waits_to_be_told = phase() == LoadPhase::connected || phase() == LoadPhase::draining;
  Nanoseconds until = std::min(now + (waits_to_be_told ? kToldWait : kLongestWait), dialer_->next_dial());
  if (phase() == LoadPhase::running) until = std::min(until, in_window_ ? tally_.window_end : tally_.window_start);
  if (open_loop() && phase() >= LoadPhase::running && !free_.empty()) {
    const Nanoseconds due = next_due();
    if (due < tally_.window_end) until = std::min(until, now + pacer_.timeout(now, due));
  }
  return std::max<Nanoseconds>(until - now, 0);
}

Meter Engine::meter() const noexcept {
  return {thread_cpu_now(), pacer_.spin(), channels_->bytes_in(), channels_->bytes_out()};
}

}  // namespace load
