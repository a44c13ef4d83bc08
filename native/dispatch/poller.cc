#include "dispatch/poller.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cerrno>
#include <chrono>
#include <thread>

#include "dispatch/handles.h"

namespace dispatch {

std::unique_ptr<Poller> Poller::open(std::string_view backend, Probe& probe) {
  const BackendEntry* entry = find_backend(backend);
  if (entry == nullptr) {
    probe = {.error = EINVAL, .reason = "no backend of this name"};
    return nullptr;
  }
  std::unique_ptr<Poller> poller(new Poller(*entry));
  poller->backend_ = create_backend(*entry, poller->counters_, probe);
  return poller->backend_ == nullptr ? nullptr : std::move(poller);
}

// `watch(token)` makes the backend do so.
template <class Watch>
int Poller::enter(Handle handle, Interest wanted, Slot& slot, Watch watch) noexcept {
  if (handle == kNoHandle) return EBADF;
  if (known(slots_.find(handle))) return EEXIST;
  const std::int32_t most = capabilities().max_descriptor;
  if (most >= 0 && static_cast<std::int64_t>(handle) > most) return ERANGE;
  // select and poll would notice only at the next wait; asking here makes all backends answer alike.
  if (!is_open(handle)) return EBADF;
  const Slot taken = slots_.take(handle);
  if (taken >= registrations_.size()) registrations_.resize(std::size_t{taken} + 1);
  ++counters_.changes;
  if (const int error = watch(token(taken))) {
    slots_.release(taken);
    return error;
  }
  registrations_[taken].interest(wanted);
  registrations_[taken].registered = 1;
  ++registered_;
  slot = taken;
  return 0;
}

int Poller::add(Handle handle, Interest wanted, Slot& slot) noexcept {
  return enter(handle, wanted, slot, [&](Token token) {
    return wanted == Interest::none ? 0 : backend_->set_interest(handle, token, Interest::none, wanted);
  });
}

int Poller::add_exclusive(Handle handle, Slot& slot) noexcept {
  return enter(handle, Interest::read, slot, [&](Token token) { return backend_->watch_exclusively(handle, token); });
}

int Poller::modify(Slot slot, Interest wanted) noexcept {
  if (!known(slot)) return ENOENT;
  Registration& registration = registrations_[slot];
  if (registration.interest() == wanted) return 0;
  ++counters_.changes;
  const int error = backend_->set_interest(handle(slot), token(slot), registration.interest(), wanted);
  if (error == 0) registration.interest(wanted);
  return error;
}

int Poller::rearm(Slot slot) noexcept {
  if (!known(slot)) return ENOENT;
  const Interest wanted = registrations_[slot].interest();
  if (!capabilities().needs_rearm || wanted == Interest::none) return 0;
  ++counters_.rearms;
  return backend_->set_interest(handle(slot), token(slot), wanted, wanted);
}

int Poller::forget(Slot slot) noexcept {
  if (!known(slot)) return ENOENT;
  Registration& registration = registrations_[slot];
  ++counters_.changes;
  backend_->forget(handle(slot), token(slot), registration.interest());
  registration.registered = 0;
  registration.interest(Interest::none);
  ++registration.generation;
  --registered_;
  slots_.release(slot);
  return 0;
}

void Poller::wait_at_least(std::uint32_t microseconds) noexcept {
  least_wait_ = TimeoutNs{microseconds} * 1000;
#ifdef __linux__
  // Otherwise a sleep lasts some 50 microseconds longer, which waits for completions do not.
  if (microseconds > 0) ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
#endif
}

WaitResult Poller::wait(std::span<Event> out, TimeoutNs timeout) noexcept {
  if (least_wait_ > 0 && timeout != 0) [[unlikely]] {
    const TimeoutNs first = timeout > 0 && timeout < least_wait_ ? timeout : least_wait_;
    std::this_thread::sleep_for(std::chrono::nanoseconds(first));
    if (timeout > 0) timeout -= first;
  }
  WaitResult result = backend_->wait(out, look_first_ ? 0 : timeout);
  if (look_first_ && timeout != 0 && result.count == 0 && !result.interrupted && result.error == 0) {
    result = backend_->wait(out, timeout);
  }
  int kept = 0;
  for (int i = 0; i < result.count; ++i) {
    Event event = out[static_cast<std::size_t>(i)];
    if (!current(event)) [[unlikely]] {
      ++counters_.stale;
      continue;
    }
    if ((event.flags & (error | hangup)) != 0) [[unlikely]] {
      event.flags |= static_cast<std::uint32_t>(registrations_[event.slot].interest());
    }
    if (event.flags == 0) [[unlikely]] {
      ++counters_.spurious;
      continue;
    }
    out[static_cast<std::size_t>(kept++)] = event;
  }
  result.count = kept;
  counters_.events += static_cast<std::uint64_t>(kept);
  counters_.empty_waits += kept == 0;
  counters_.saturated_waits += result.saturated;
  counters_.interrupted += result.interrupted;
  return result;
}

}  // namespace dispatch
