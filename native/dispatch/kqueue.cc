// kqueue(2), kevent(2): filters attached to descriptors; one call takes changes and brings events.
//
// a) Read and write are two filters of one descriptor and come as two rows; they are merged into one event.
// b) Changes are queued and ride the next wait. A change that fails comes back as a row with EV_ERROR, ahead of events;
//    such rows are consumed here: EBADF becomes `invalid`, ENOENT of a deletion nothing, any other errno `error` with
//    the errno in aux.
// c) Without room for its error row a failing change fails the whole call; so a queue longer than the caller's result
//    array is applied first, on its own, with EV_RECEIPT (one answer per change, no events drained).
// d) forget() is synchronous: queued changes of the descriptor are dropped and its filters deleted at once, because the
//    caller closes the descriptor next and its number may be reused before the next wait.
// e) EV_EOF on the read filter means that the peer sends no more; unread data may remain (aux counts it), so it is
//    read_closed and readable, never "closed". On the write filter nobody reads any more: hangup. fflags then holds the
//    socket's error.
// f) kqueue: level-triggered filters. kqueue-clear: EV_CLEAR resets the state on delivery, which is edge-triggered.
// g) Closing a descriptor removes its filters, whatever its duplicates do.
#if __has_include(<sys/event.h>)
#include <sys/event.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "dispatch/factories.h"

namespace dispatch {
namespace {

using Change = struct kevent;
static_assert(sizeof(void*) == 8, "udata holds slot and generation");

class Kqueue final : public Backend {
 public:
  Kqueue(Counters& counters, int queue, Trigger trigger) noexcept
      : Backend(counters),
        queue_(queue),
        add_flags_(static_cast<unsigned short>(trigger == Trigger::edge ? EV_ADD | EV_CLEAR : EV_ADD)),
        capabilities_{
            .trigger = trigger,
            .wait_complexity = WaitComplexity::active,
            .timeout_resolution_ns = 1,
            .reports_read_closed = true,
            .batched_changes = true,
            .wait_call = "kevent",
        } {}
  ~Kqueue() override { ::close(queue_); }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle fd, Token token, Interest old, Interest wanted) noexcept override {
    if (wants_read(old) != wants_read(wanted)) enqueue(fd, token, EVFILT_READ, wants_read(wanted));
    if (wants_write(old) != wants_write(wanted)) enqueue(fd, token, EVFILT_WRITE, wants_write(wanted));
    return 0;
  }

  void forget(Handle fd, Token token, Interest old) noexcept override {
    const auto ident = static_cast<std::uintptr_t>(fd);
    std::erase_if(changes_, [ident](const Change& change) { return change.ident == ident; });
    std::erase_if(failed_, [token](const Event& row) { return row.slot == token.slot; });
    if (wants_read(old)) delete_now(fd, token, EVFILT_READ);
    if (wants_write(old)) delete_now(fd, token, EVFILT_WRITE);
  }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    if (changes_.size() > out.size()) apply_changes();
    if (!failed_.empty()) return take_failed(out);
    if (rows_.size() < out.size()) rows_.resize(out.size());
    if (position_.size() < slots_) position_.resize(slots_);

    timespec storage;
    ++counters_.waits;
    const int rows = ::kevent(queue_, changes_.data(), static_cast<int>(changes_.size()), rows_.data(),
                              static_cast<int>(out.size()), timespec_of(timeout, storage));
    // Interrupted or not, the kernel has taken the changes.
    changes_.clear();
    if (rows < 0) return {.interrupted = errno == EINTR, .error = errno == EINTR ? 0 : errno};
    counters_.raw_events += static_cast<std::uint64_t>(rows);

    std::uint32_t count = 0;
    for (int i = 0; i < rows; ++i) {
      const Event event = event_of(rows_[static_cast<std::size_t>(i)]);
      if (event.flags == 0) continue;
      // position_ may hold anything for a slot not yet seen in this batch: the row it points at decides.
      std::uint32_t& position = position_[event.slot];
      if (position < count && out[position].slot == event.slot && out[position].generation == event.generation) {
        out[position].flags |= event.flags;
        if ((event.flags & readable) != 0) out[position].aux = event.aux;
      } else {
        position = count;
        out[count++] = event;
      }
    }
    return {.count = static_cast<int>(count), .saturated = static_cast<std::size_t>(rows) == out.size()};
  }

 private:
  static Change change_of(int fd, Token token, short filter, unsigned flags) noexcept {
    Change change = {};
    change.ident = static_cast<std::uintptr_t>(fd);
    change.filter = filter;
    change.flags = static_cast<decltype(change.flags)>(flags);
    change.udata = reinterpret_cast<void*>(static_cast<std::uintptr_t>(token.generation) << 32 | token.slot);
    return change;
  }

  static Event event_of(const Change& row) noexcept {
    const auto token = reinterpret_cast<std::uintptr_t>(row.udata);
    Event event = {static_cast<std::uint32_t>(token), static_cast<std::uint32_t>(token >> 32), 0, 0};
    if ((row.flags & EV_ERROR) != 0) {
      event.aux = static_cast<std::int32_t>(row.data);
      if (row.data == EBADF) event.flags = invalid;
      if (row.data != EBADF && row.data != ENOENT && row.data != 0) event.flags = error;
      return event;
    }
    const bool end = (row.flags & EV_EOF) != 0;
    if (row.filter == EVFILT_READ) {
      event.flags = end ? readable | read_closed : readable;
      event.aux = static_cast<std::int32_t>(std::min<std::int64_t>(row.data, 0x7fffffff));
    } else {
      event.flags = end ? writable | hangup : writable;
    }
    if (end && row.fflags != 0) event.flags |= error;
    return event;
  }

  void enqueue(int fd, Token token, short filter, bool add) noexcept {
    slots_ = std::max(slots_, std::size_t{token.slot} + 1);
    changes_.push_back(change_of(fd, token, filter, add ? add_flags_ : EV_DELETE));
  }

  void delete_now(int fd, Token token, short filter) noexcept {
    const Change change = change_of(fd, token, filter, EV_DELETE);
    const timespec now = {};
    ++counters_.change_calls;
    // ENOENT: the addition was still queued, or the descriptor is closed already.
    ::kevent(queue_, &change, 1, nullptr, 0, &now);
  }

  void apply_changes() noexcept {
    for (Change& change : changes_) change.flags |= EV_RECEIPT;
    rows_.resize(std::max(rows_.size(), changes_.size()));
    const timespec now = {};
    ++counters_.change_calls;
    const int rows = ::kevent(queue_, changes_.data(), static_cast<int>(changes_.size()), rows_.data(),
                              static_cast<int>(changes_.size()), &now);
    changes_.clear();
    for (int i = 0; i < rows; ++i) {
      const Event event = event_of(rows_[static_cast<std::size_t>(i)]);
      if (event.flags != 0) failed_.push_back(event);
    }
  }

  WaitResult take_failed(std::span<Event> out) noexcept {
    const std::size_t count = std::min(out.size(), failed_.size());
    std::copy_n(failed_.begin(), count, out.begin());
    failed_.erase(failed_.begin(), failed_.begin() + static_cast<std::ptrdiff_t>(count));
    return {.count = static_cast<int>(count), .saturated = count == out.size()};
  }

  const int queue_;
  const unsigned short add_flags_;
  const Capabilities capabilities_;
  std::vector<Change> changes_;  // not yet told to the kernel
  std::vector<Change> rows_;
  std::vector<Event> failed_;            // changes that apply_changes() could not make
  std::vector<std::uint32_t> position_;  // of a slot's row in the batch under construction
  std::size_t slots_ = 0;
};

std::unique_ptr<Backend> make(Counters& counters, int& error, Trigger trigger) {
  const int queue = ::kqueue();
  if (queue < 0) {
    error = errno;
    return nullptr;
  }
  return std::make_unique<Kqueue>(counters, queue, trigger);
}

}  // namespace

std::unique_ptr<Backend> make_kqueue(Counters& counters, int& error) { return make(counters, error, Trigger::level); }
std::unique_ptr<Backend> make_kqueue_clear(Counters& counters, int& error) {
  return make(counters, error, Trigger::edge);
}

}  // namespace dispatch
#endif
