#include "load/datagram_engine.h"

#include <algorithm>
#include <cmath>

namespace load {

DatagramEngine::DatagramEngine(DatagramConfig config)
    : config_(std::move(config)), board_(config_.workers, config_.log_replies), start_(config_.workers) {}

DatagramShare DatagramEngine::share(std::uint32_t worker) const noexcept {
  const DatagramLayout layout(config_);
  // Flows of the workers before this one, and of those up to it: the shares of all workers add up exactly.
  const auto flows_before = [&](std::uint32_t count) {
    std::uint64_t flows = 0;
    for (std::uint32_t s = 0; s < config_.sockets; ++s) {
      if (s % config_.workers < count) flows += (layout.flows - s - 1) / config_.sockets + 1;
    }
    return flows;
  };
  const std::uint64_t before = flows_before(worker), upto = flows_before(worker + 1);
  std::uint64_t total = config_.amount > 0 ? config_.amount : ~std::uint64_t{0};
  if (config_.open_loop && config_.arrival == Arrival::fixed) {
    const double seconds = static_cast<double>(config_.duration) / static_cast<double>(kSecond);
    // Times i / rate below the duration; the small allowance is for products that are whole but for rounding.
    total = std::min(total, static_cast<std::uint64_t>(std::ceil(config_.rate * seconds - 1e-6)));
  }
  DatagramShare share;
  share.rate = config_.rate * static_cast<double>(upto - before) / layout.flows;
  if (config_.open_loop) share.offset = static_cast<Nanoseconds>(worker * static_cast<double>(kSecond) / config_.rate);
  const auto part = [&](std::uint64_t flows) { return (total * flows + layout.flows - 1) / layout.flows; };
  if (total != ~std::uint64_t{0}) share.most = part(upto) - part(before);
  return share;
}

int DatagramEngine::start(std::string& what) {
  for (std::uint32_t i = 0; i < config_.workers; ++i) {
    workers_.push_back(std::make_unique<DatagramWorker>(config_, i, share(i), start_, board_));
    if (const int error = workers_.back()->open(what); error != 0) {
      workers_.clear();
      return error;
    }
  }
  for (auto& worker : workers_) {
    if (const int error = worker->start(); error != 0) {
      what = "cannot start a client thread";
      // Those already started wait for all: stand in for the missing ones, and let them end.
      for (auto& other : workers_) other->abandon();
      for (auto missing = &worker; missing != workers_.data() + workers_.size(); ++missing) start_.forgo();
      workers_.clear();
      return error;
    }
  }
  return 0;
}

void DatagramEngine::stop() noexcept {
  for (auto& worker : workers_) worker->stop();
}

DatagramPhase DatagramEngine::phase() const noexcept {
  DatagramPhase slowest = DatagramPhase::done;
  for (const auto& worker : workers_) slowest = std::min(slowest, worker->phase());
  return slowest;
}

DatagramProgress DatagramEngine::progress() const noexcept {
  DatagramProgress sum;
  for (const auto& worker : workers_) {
    const DatagramProgress one = worker->progress();
    sum.sent += one.sent;
    sum.received += one.received;
    sum.bytes_in += one.bytes_in;
    sum.wrong += one.wrong;
  }
  return sum;
}

DatagramOutcome DatagramEngine::outcome() {
  DatagramOutcome outcome;
  for (auto& worker : workers_) {
    worker->join();
    worker->add_to(outcome);
  }
  outcome.series = board_.intervals(0);
  std::sort(outcome.flows.begin(), outcome.flows.end(),
            [](const FlowSummary& a, const FlowSummary& b) { return a.port != b.port ? a.port < b.port : a.socket < b.socket; });
  return outcome;
}

}  // namespace load
