#include "load/session_engine.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace load {
namespace {

constexpr Nanoseconds kLongestWait = 20 * kMillisecond;  // stop() is heard this late at most
constexpr Nanoseconds kBeginWait = kMillisecond;         // and begin()
constexpr std::size_t kBatch = 512;                      // rows of one wait
constexpr std::size_t kBuffer = 65536;
constexpr int kBurst = 64;                               // starts before replies are looked at again
constexpr std::size_t kMostSamples = 1'000'000;

constexpr SessionFailure kind_of(int error) noexcept {
  switch (error) {
    case ETIMEDOUT: return SessionFailure::socket_timeout;
    case ECONNREFUSED: return SessionFailure::refused;
    case ECONNRESET:
    case EPIPE: return SessionFailure::reset;
    case EMFILE: return SessionFailure::descriptors;
    case EADDRNOTAVAIL: return SessionFailure::addresses;
    case ENFILE: return SessionFailure::file_table;
    default: return SessionFailure::other;
  }
}

/// While it lives, its thread goes before all ordinary ones, where the system lets it (root): a busy machine else starts
/// one of several clients milliseconds after the others. For moments only; nothing is measured so.
class Urgent {
 public:
  Urgent() noexcept {
    sched_param first{};  // some systems have fields beside the one that counts
    first.sched_priority = sched_get_priority_min(SCHED_FIFO);
    raised_ = pthread_getschedparam(pthread_self(), &policy_, &before_) == 0 &&
              pthread_setschedparam(pthread_self(), SCHED_FIFO, &first) == 0;
  }
  ~Urgent() {
    if (raised_) pthread_setschedparam(pthread_self(), policy_, &before_);
  }
  Urgent(const Urgent&) = delete;
  Urgent& operator=(const Urgent&) = delete;

 private:
  int policy_ = 0;
  sched_param before_{};
  bool raised_ = false;
};

}  // namespace

void SessionEngine::run() {
  dispatch::Probe probe;
  poller_ = dispatch::Poller::open(plan_.backend, probe);
  if (!poller_) {
    error_ = probe.error;
    return enter(SessionPhase::failed);
  }
  events_.resize(kBatch);
  in_.resize(kBuffer);
  // The replies' bodies are the server's business, as they are for httperf.
  exchange_ = make_http_exchange(plan_.concurrent, plan_.host, plan_.path, true);
  request_.resize(exchange_->request_size());
  exchange_->write_request(0, 0, request_.data());
  pacer_.calibrate(*poller_);
  enter(SessionPhase::ready);
  while (!stopping() && begin_at_.load(std::memory_order_acquire) == 0) poller_->wait(events_, kBeginWait);
  if (!stopping()) serve();
  for (std::uint32_t id = 0; id < sessions_.size(); ++id) {
    if (sessions_[id].slot != dispatch::kNoSlot) close(id);
  }
  enter(error_ == 0 && !stopping() ? SessionPhase::done : SessionPhase::failed);
}

/// Sleeps to the instant, in pieces so that stop() is heard, and spins only at the very last: several clients on few CPUs
/// that all spin towards the same instant would keep the last of them from its CPU.
void SessionEngine::await(Nanoseconds instant) {
  constexpr Nanoseconds kLast = 50 * kMicrosecond;
  for (Nanoseconds left = instant - monotonic_now(); left > kLast && !stopping(); left = instant - monotonic_now()) {
    poller_->wait(events_, std::min(left - kLast, kLongestWait));
  }
  while (!stopping() && monotonic_now() < instant) {
  }
}

void SessionEngine::serve() {
  tally_.due_at = std::max(begin_at_.load(std::memory_order_relaxed), monotonic_now());
  schedule_ = Schedule(plan_.arrival, plan_.rate, tally_.due_at + plan_.offset, plan_.seed);
  enter(SessionPhase::running);
  const Nanoseconds cpu = thread_cpu_now();
  {
    const Urgent urgent;
    await(schedule_.due());
    if (!stopping()) start_due(monotonic_now());
  }
  while (!stopping() && error_ == 0 && !(all_started() && open_ == 0)) turn();
  tally_.ended_at = monotonic_now();
  tally_.cpu = thread_cpu_now() - cpu;
  tally_.spin = pacer_.spin();
}

void SessionEngine::turn() {
  const Nanoseconds now = monotonic_now();
  start_due(now);
  expire(now);

  Nanoseconds wait = kLongestWait;
  if (!all_started()) wait = std::min(wait, pacer_.timeout(now, schedule_.due()));
  if (oldest_ != kNone) wait = std::min(wait, std::max<Nanoseconds>(sessions_[oldest_].began + plan_.timeout - now, 0));
  const dispatch::WaitResult result = poller_->wait(events_, wait);
  error_ = result.error;
  if (wait == 0 && result.count == 0) pacer_.spun(now, monotonic_now());
  for (int i = 0; i < result.count; ++i) {
    const dispatch::Event& event = events_[static_cast<std::size_t>(i)];
    if (poller_->current(event)) on_event(id_by_slot_[event.slot], event.flags);
  }
}

void SessionEngine::start_due(Nanoseconds now) {
  for (int i = 0; i < kBurst && !all_started() && schedule_.due() <= now; ++i) {
    start_one(schedule_.due());
    schedule_.advance();
  }
}

void SessionEngine::start_one(Nanoseconds due) {
  ++started_;
  const Nanoseconds now = monotonic_now();
  tally_.start_lag.record(now - due);
  if (tally_.started_at == 0) tally_.started_at = now;
  if (free_.empty() && sessions_.size() == plan_.concurrent) return count(SessionFailure::descriptors);
  const dispatch::Handle handle = net::connect_tcp(plan_.target);
  if (handle < 0) return count(kind_of(-handle));
  dispatch::Slot slot = dispatch::kNoSlot;
  if (const int error = poller_->add(handle, dispatch::Interest::write, slot); error != 0) {
    ::close(handle);
    return count(kind_of(error));
  }
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(sessions_.size()));
    sessions_.emplace_back();
  }
  const std::uint32_t id = free_.back();
  free_.pop_back();
  if (slot >= id_by_slot_.size()) id_by_slot_.resize(std::size_t{slot} + 1);
  id_by_slot_[slot] = id;
  sessions_[id] = Session();
  sessions_[id].slot = slot;
  sessions_[id].calls = plan_.calls;
  exchange_->restart(id);
  arm(id, now);
  ++tally_.connections;
  tally_.most_open = std::max(tally_.most_open, ++open_);
}

void SessionEngine::on_event(std::uint32_t id, std::uint32_t flags) {
  if (!sessions_[id].connected) return connected(id);
  // Hang-ups and errors are read, too: what came before them counts, and recv(2) tells which it was.
  if ((flags & ~static_cast<std::uint32_t>(dispatch::writable)) != 0) return read(id);
  send_rest(id);
}

void SessionEngine::connected(std::uint32_t id) {
  Session& session = sessions_[id];
  int error = net::take_error(handle(session));
  if (error == 0) error = poller_->modify(session.slot, dispatch::Interest::read);
  if (error != 0) return fail(id, error);
  session.connected = true;
  tally_.connect.record(monotonic_now() - session.began);
  call(id);
}

void SessionEngine::call(std::uint32_t id) {
  Session& session = sessions_[id];
  session.sent_bytes = 0;
  session.answering = false;
  disarm(id);
  arm(id, monotonic_now());
  send_rest(id);
}

void SessionEngine::send_rest(std::uint32_t id) {
  Session& session = sessions_[id];
  if (session.sent_bytes == request_.size()) return;
  const ssize_t sent = net::transmit(handle(session), Bytes(request_).subspan(session.sent_bytes));
  if (sent < 0 && !net::would_block(sent)) return fail(id, static_cast<int>(-sent));
  const auto taken = static_cast<std::uint32_t>(std::max<ssize_t>(sent, 0));
  session.sent_bytes += taken;
  tally_.bytes_out += taken;
  const bool whole = session.sent_bytes == request_.size();
  if (whole) ++tally_.requests;
  poller_->modify(session.slot, whole ? dispatch::Interest::read : dispatch::Interest::both);
}

void SessionEngine::read(std::uint32_t id) {
  Session& session = sessions_[id];
  const ssize_t received = net::receive(handle(session), in_);
  if (net::would_block(received)) return;
  const Nanoseconds now = monotonic_now();
  if (received < 0) return fail(id, static_cast<int>(-received));
  if (received == 0) {
    const Reading reading = exchange_->finish(id);
    return reading.verdict == Verdict::broken ? fail(id, ECONNRESET) : replied(id, reading.status, now, true);
  }
  tally_.bytes_in += static_cast<std::uint64_t>(received);
  if (!session.answering) {
    session.answering = true;
    session.first_byte = now;
    tally_.response.record(now - session.began);
  }
  Bytes bytes = Bytes(in_).first(static_cast<std::size_t>(received));
  while (!bytes.empty()) {
    const Reading reading = exchange_->read_reply(id, bytes);
    bytes = bytes.subspan(reading.used);
    if (reading.verdict == Verdict::incomplete) continue;
    // One call at a time: whatever follows its reply was not asked for.
    if (reading.verdict == Verdict::broken || !bytes.empty()) return fail(id, EPROTO);
    return replied(id, reading.status, now, reading.last);
  }
}

void SessionEngine::replied(std::uint32_t id, int status, Nanoseconds at, bool last) {
  Session& session = sessions_[id];
  ++tally_.replies;
  ++tally_.status[static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1)];
  tally_.transfer.record(at - session.first_byte);
  const auto sample = static_cast<std::size_t>((at - tally_.due_at) / plan_.sample);
  if (sample < kMostSamples) {
    if (sample >= tally_.samples.size()) tally_.samples.resize(sample + 1);
    ++tally_.samples[sample];
  }
  if (--session.calls == 0 || last) return close(id);
  call(id);
}

void SessionEngine::expire(Nanoseconds now) {
  while (oldest_ != kNone && now - sessions_[oldest_].began >= plan_.timeout) {
    count(SessionFailure::client_timeout);
    close(oldest_);
  }
}

void SessionEngine::fail(std::uint32_t id, int error) {
  count(kind_of(error));
  close(id);
}

void SessionEngine::close(std::uint32_t id) {
  disarm(id);
  const dispatch::Handle closing = handle(sessions_[id]);
  poller_->forget(sessions_[id].slot);
  ::close(closing);
  sessions_[id].slot = dispatch::kNoSlot;
  free_.push_back(id);
  --open_;
}

/// All timeouts are equally long, so the list by start is the list by deadline.
void SessionEngine::arm(std::uint32_t id, Nanoseconds now) {
  Session& session = sessions_[id];
  session.began = now;
  session.older = newest_;
  session.newer = kNone;
  (newest_ == kNone ? oldest_ : sessions_[newest_].newer) = id;
  newest_ = id;
}

void SessionEngine::disarm(std::uint32_t id) noexcept {
  const Session& session = sessions_[id];
  (session.older == kNone ? oldest_ : sessions_[session.older].newer) = session.newer;
  (session.newer == kNone ? newest_ : sessions_[session.newer].older) = session.older;
}

}  // namespace load
