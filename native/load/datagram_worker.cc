#include "load/datagram_worker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace load {

namespace {

constexpr std::size_t kTake = 64;                          // schedule times taken per turn
constexpr Nanoseconds kTurn = 20 * kMillisecond;           // longest wait: a stop is seen after it
constexpr Nanoseconds kQuiet = 50 * kMillisecond;          // all answered and nothing more for so long: no late copies
constexpr std::int64_t kLatePatience = 4;                  // timeouts

}  // namespace

void DatagramStart::forgo() noexcept {
  if (missing_.fetch_sub(1) == 1) at_.store(monotonic_now() + kMillisecond, std::memory_order_release);
}

Nanoseconds DatagramStart::arrive() noexcept {
  forgo();
  while (at() == 0 || monotonic_now() < at()) usleep(50);
  return at();
}

DatagramWorker::DatagramWorker(const DatagramConfig& config, std::uint32_t index, const DatagramShare& share,
                               DatagramStart& start, DatagramBoard& board)
    : config_(config),
      index_(index),
      share_(share),
      start_(start),
      recorder_(config, board),
      lanes_(config, index, recorder_) {}

DatagramWorker::~DatagramWorker() {
  abandon();
  join();
}

void DatagramWorker::abandon() noexcept {
  abandoned_.store(true, std::memory_order_relaxed);
  stop();
}

int DatagramWorker::prepare() {
  const char* backend = dispatch::client_backend().name;
  dispatch::Probe probe;
  poller_ = dispatch::Poller::open(backend, probe);
  if (poller_ == nullptr) {
    failed_ = std::string("cannot wait for replies with ") + backend;
    return probe.error;
  }
  if (config_.open_loop) pacer_.calibrate(*poller_);
  events_.resize(std::max<std::size_t>(1, std::min<std::size_t>(lanes_.sockets(), 1024)));
  int error = lanes_.watch(*poller_);
  blocking_ = !config_.open_loop && lanes_.sockets() == 1;
  if (error == 0 && blocking_) error = lanes_.block(kTurn);
  if (error != 0) failed_ = "cannot wait on the client's sockets";
  return error;
}

void DatagramWorker::run() {
  error_ = prepare();
  started_ = start_.arrive();
  if (error_ == 0) {
    recorder_.start(started_);
    phase_.store(DatagramPhase::sending, std::memory_order_release);
    const Nanoseconds cpu = thread_cpu_now(), spin = pacer_.spin();
    if (config_.open_loop) run_open();
    else run_closed();
    sending_ended_ = monotonic_now();
    cpu_ = thread_cpu_now() - cpu;
    spin_ = pacer_.spin() - spin;
    phase_.store(DatagramPhase::draining, std::memory_order_release);
    drain();
    recorder_.finish();
  }
  finished_ = monotonic_now();
  phase_.store(DatagramPhase::done, std::memory_order_release);
}

bool DatagramWorker::bailed_out() const noexcept {
  return config_.bailout > 0 && recorder_.progress().wrong >= config_.bailout;
}

std::size_t DatagramWorker::wait(Nanoseconds timeout) {
  const dispatch::WaitResult result = poller_->wait(events_, timeout);
  std::size_t received = 0;
  for (int i = 0; i < result.count; ++i) received += lanes_.receive(lanes_.socket_of(events_[i].slot), MSG_DONTWAIT);
  return received;
}

std::size_t DatagramWorker::receive_or_wait(Nanoseconds timeout) {
  // A single socket is simply read: asking first whether it can be would be a second call per batch.
  if (lanes_.sockets() > 1) return wait(timeout);
  const std::size_t received = lanes_.receive(0, MSG_DONTWAIT);
  return received > 0 || timeout == 0 ? received : wait(timeout);
}

void DatagramWorker::expire(Nanoseconds now) {
  if (now < next_expiry_) return;
  next_expiry_ = now + std::clamp<Nanoseconds>(config_.timeout / 16, kMillisecond, kTurn);
  // In an open loop nothing waits for a datagram; its times are kept longer, so that late replies have a latency.
  const Nanoseconds patience = config_.open_loop ? kLatePatience * config_.timeout : config_.timeout;
  timeouts_ += lanes_.expire(now - patience);
}

void DatagramWorker::run_open() {
  const Nanoseconds end = started_ + config_.duration;
  // What fell due in time may still go out a little after the end, so that the last datagram is not lost to rounding.
  const Nanoseconds grace = end + std::max(10 * kMillisecond, config_.duration / 100);
  Schedule schedule(config_.arrival, share_.rate, started_ + share_.offset, config_.seed + index_);
  FlowOrder order(config_.order, lanes_.flows(), config_.seed + index_);
  const bool fixed = config_.arrival == Arrival::fixed;  // then the share is what the duration holds, to the datagram
  const auto unfinished = [&] { return taken_ < share_.most && (fixed || schedule.due() < end); };
  Nanoseconds now = monotonic_now();
  const auto going = [&](Nanoseconds now) {
    return unfinished() || lanes_.queued() > 0 ? now < grace : config_.amount == 0 && now < end;
  };
  while (!stopping() && !bailed_out() && going(now)) {
    while (lanes_.queued() < kTake && unfinished() && schedule.due() <= now) {
      lanes_.queue(order.next(), schedule.due());
      schedule.advance();
      ++taken_;
    }
    lanes_.flush(grace);
    lanes_.freed().clear();
    const Nanoseconds before = monotonic_now();
    const bool overdue = lanes_.queued() > 0 || (unfinished() && schedule.due() <= before);
    const Nanoseconds next = unfinished() ? schedule.due() : end;
    const Nanoseconds timeout = overdue ? 0 : std::min(kTurn, pacer_.timeout(before, next));
    const std::size_t received = receive_or_wait(timeout);
    now = monotonic_now();
    if (timeout == 0 && received == 0 && !overdue) pacer_.spun(before, now);
    expire(now);
    recorder_.publish();
  }
  offered_ = taken_;
  for (; !stopping() && !bailed_out() && unfinished(); schedule.advance()) {
    ++offered_;
    ++taken_;
  }
}

void DatagramWorker::refill(std::uint32_t socket, FlowOrder& order) {
  const Nanoseconds now = monotonic_now();
  while (lanes_.outstanding(socket) < windows_[socket] && taken_ < share_.most) {
    lanes_.queue(lanes_.flow_of(socket, order.next()), now);
    ++taken_;
  }
}

void DatagramWorker::run_closed() {
  const Nanoseconds end = started_ + config_.duration;
  std::vector<FlowOrder> orders;
  for (std::uint32_t s = 0; s < lanes_.sockets(); ++s) {
    windows_.push_back(std::min(config_.window, lanes_.holds(s)));
    orders.emplace_back(config_.order, lanes_.flows_of(s), config_.seed + index_ + s * std::uint64_t{config_.workers});
    refill(s, orders[s]);
  }
  Nanoseconds now = started_;
  while (!stopping() && !bailed_out() && now < end) {
    // In turns, because sending all that many sockets may have under way takes longer than a stop or the end can wait.
    const bool flushed = lanes_.flush(std::min(end, now + kTurn));
    const bool more = taken_ < share_.most || lanes_.queued() > 0;
    if (!more) break;
    if (blocking_) lanes_.receive(0, MSG_WAITFORONE);
    else wait(!flushed ? 0 : std::min(kTurn, std::max<Nanoseconds>(0, end - now)));
    now = monotonic_now();
    expire(now);
    for (const std::uint32_t socket : lanes_.freed()) refill(socket, orders[socket]);
    lanes_.freed().clear();
    recorder_.publish();
  }
  offered_ = taken_ - lanes_.queued();
}

void DatagramWorker::drain() {
  Nanoseconds now = monotonic_now();
  const Nanoseconds end = now + config_.timeout;
  Nanoseconds last_arrival = now;
  const DatagramCounts& counts = recorder_.counts;
  while (!abandoned_.load(std::memory_order_relaxed) && now < end &&
         (counts.received < counts.sent || now - last_arrival < kQuiet)) {
    const std::size_t received = wait(std::min(kTurn, end - now));
    now = monotonic_now();
    if (received > 0) last_arrival = now;
    recorder_.publish();
  }
}

void DatagramWorker::add_to(DatagramOutcome& outcome) const {
  recorder_.add_to(outcome);
  lanes_.add_to(outcome);
  outcome.offered += offered_;
  outcome.timeouts += timeouts_;
  outcome.started = started_;
  outcome.sending_ended = std::max(outcome.sending_ended, sending_ended_);
  outcome.finished = std::max(outcome.finished, finished_);
  outcome.cpu += cpu_;
  outcome.spin += spin_;
  const auto wall = static_cast<double>(std::max<Nanoseconds>(1, sending_ended_ - started_));
  outcome.busiest_share = std::max(outcome.busiest_share, static_cast<double>(cpu_ - spin_) / wall);
  outcome.pacer.p50 = std::max(outcome.pacer.p50, pacer_.resolution().p50);
  outcome.pacer.p99 = std::max(outcome.pacer.p99, pacer_.resolution().p99);
  if (poller_ != nullptr) outcome.poller = poller_->entry().name;
  if (error_ != 0 && outcome.error == 0) {
    outcome.error = error_;
    outcome.failed = failed_;
  }
}

}  // namespace load
