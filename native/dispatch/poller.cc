#include "dispatch/poller.h"

#include <fcntl.h>

#include <cerrno>

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

int Poller::add(int fd, Interest wanted) noexcept {
  if (fd < 0) return EBADF;
  if (known(fd)) return EEXIST;
  const std::int32_t most = capabilities().max_descriptor;
  if (most >= 0 && fd > most) return ERANGE;
  // select and poll would notice only at the next wait; asking here makes all backends answer alike.
  if (::fcntl(fd, F_GETFD) == -1) return EBADF;
  const auto index = static_cast<std::size_t>(fd);
  if (index >= slots_.size()) slots_.resize(index + 1);
  ++counters_.changes;
  if (wanted != Interest::none) {
    if (const int error = backend_->set_interest(fd, token(fd), Interest::none, wanted)) return error;
  }
  slots_[index].interest = wanted;
  slots_[index].registered = true;
  ++registered_;
  return 0;
}

int Poller::modify(int fd, Interest wanted) noexcept {
  if (fd < 0) return EBADF;
  if (!known(fd)) return ENOENT;
  Slot& slot = slots_[static_cast<std::size_t>(fd)];
  if (slot.interest == wanted) return 0;
  ++counters_.changes;
  if (const int error = backend_->set_interest(fd, token(fd), slot.interest, wanted)) return error;
  slot.interest = wanted;
  return 0;
}

int Poller::rearm(int fd) noexcept {
  if (fd < 0) return EBADF;
  if (!known(fd)) return ENOENT;
  const Interest wanted = slots_[static_cast<std::size_t>(fd)].interest;
  if (!capabilities().needs_rearm || wanted == Interest::none) return 0;
  ++counters_.rearms;
  return backend_->set_interest(fd, token(fd), wanted, wanted);
}

int Poller::forget(int fd) noexcept {
  if (fd < 0) return EBADF;
  if (!known(fd)) return ENOENT;
  Slot& slot = slots_[static_cast<std::size_t>(fd)];
  ++counters_.changes;
  backend_->forget(fd, token(fd), slot.interest);
  slot = {.generation = slot.generation + 1};
  --registered_;
  return 0;
}

WaitResult Poller::wait(std::span<Event> out, TimeoutNs timeout) noexcept {
  WaitResult result = backend_->wait(out, timeout);
  int kept = 0;
  for (int i = 0; i < result.count; ++i) {
    Event event = out[static_cast<std::size_t>(i)];
    if (!current(event)) [[unlikely]] {
      ++counters_.stale;
      continue;
    }
    if ((event.flags & (error | hangup)) != 0) [[unlikely]] {
      event.flags |= static_cast<std::uint32_t>(slots_[event.slot].interest);
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
