#include "load/idle_holder.h"

#include <algorithm>
#include <vector>

namespace load {

void IdleHolder::run() {
  constexpr Nanoseconds kLongestWait = 20 * kMillisecond;  // stop() is heard this late at most
  dispatch::Probe probe;
  const auto poller = dispatch::Poller::open(plan_.backend, probe);
  if (!poller) return fail(probe.error);
  Dialer dialer(plan_.dial, *poller);
  std::vector<dispatch::Event> events(256);
  while (!stopping()) {
    const Nanoseconds now = monotonic_now();
    dialer.dial(now);
    publish(dialer, now);
    if (progress_.phase.load(std::memory_order_relaxed) == IdlePhase::failed) return;
    const Nanoseconds until = std::min(now + kLongestWait, dialer.next_dial());
    const dispatch::WaitResult result = poller->wait(events, std::max<Nanoseconds>(until - now, 0));
    if (result.error != 0) return fail(result.error);
    for (int i = 0; i < result.count; ++i) {
      const dispatch::Event& event = events[static_cast<std::size_t>(i)];
      if (!poller->current(event)) continue;
      const std::uint32_t id = dialer.id_of(event.slot);
      if (dialer.standing(id)) {
        hear(dialer, id);
      } else {
        dialer.on_event(id, now);
      }
    }
  }
}

void IdleHolder::hear(Dialer& dialer, std::uint32_t id) {
  std::byte bytes[4096];
  const ssize_t received = net::receive(dialer.handle(id), bytes);
  if (net::would_block(received)) return;
  if (received > 0) {
    progress_.unexpected_bytes.fetch_add(static_cast<std::uint64_t>(received), std::memory_order_relaxed);
    return;
  }
  progress_.reconnects.fetch_add(1, std::memory_order_relaxed);
  dialer.reopen(id);
}

void IdleHolder::publish(const Dialer& dialer, Nanoseconds now) noexcept {
  progress_.standing.store(dialer.standing_count(), std::memory_order_relaxed);
  for (std::size_t kind = 0; kind < progress_.failures.size(); ++kind) {
    progress_.failures[kind].store(dialer.failures()[kind], std::memory_order_relaxed);
  }
  if (progress_.phase.load(std::memory_order_relaxed) != IdlePhase::connecting) return;
  if (dialer.standing_count() == dialer.connections()) {
    progress_.elapsed.store(dialer.elapsed(now), std::memory_order_relaxed);
    progress_.phase.store(IdlePhase::standing, std::memory_order_release);
  } else if (const int error = dialer.hopeless(now); error != 0) {
    fail(error);
  }
}

void IdleHolder::fail(int error) noexcept {
  progress_.error.store(error, std::memory_order_relaxed);
  progress_.phase.store(IdlePhase::failed, std::memory_order_release);
}

}  // namespace load
