// kqueue(2), kevent(2): filters attached to descriptors; one call takes changes and brings events.
//
// a) Read and write are two filters of one descriptor and come as two rows; they are merged into one event.
// b) What is wanted is told to the kernel with the next wait, each direction once, however often it changed. A
//    direction asked for anew is added again even where the kernel has it: EV_CLEAR would keep silent about what is
//    there already.
// c) A change that fails comes back as a row with EV_ERROR, instead of events and without a wait: whoever waits for
//    events calls again. Such rows are consumed here: of a closed descriptor one `invalid`, ENOENT of a deletion
//    nothing, any other errno `error` with the errno in aux. EBADF does not say closed: a pipe without reader refuses a
//    write filter with EBADF (NetBSD), EPIPE (FreeBSD) or EPERM (OpenBSD). Level-triggered, what was refused is asked
//    for again by every wait.
// d) Without room for its error row a failing change fails the whole call; so more changes than the caller's result
//    array has rows are applied first, on their own, with EV_RECEIPT (one answer per change, no events drained).
// e) forget() is synchronous: the filters that the kernel has are deleted at once, because the caller closes the
//    descriptor next and its number may be reused before the next wait. ENOENT of one (closed already) stops not the
//    other: EV_RECEIPT again.
// f) EV_EOF on the read filter means that the peer sends no more; unread data may remain (aux counts it), so it is
//    read_closed and readable, never "closed". On the write filter it may be our own end of writing: hangup only with
//    read_closed or error. fflags hold the socket's error with EV_EOF, and anything without it.
// g) kqueue: level-triggered filters. kqueue-clear: EV_CLEAR resets the state on delivery, which is edge-triggered.
// h) Closing a descriptor removes its filters, whatever its duplicates do.
// i) NetBSD and OpenBSD wait in ticks of their clock; see ticks.h.
#if __has_include(<sys/event.h>)
#include <sys/event.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "dispatch/factories.h"
#include "dispatch/handles.h"
#include "dispatch/ticks.h"
#include "dispatch/watches.h"

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
            .timeout_resolution_ns = resolution_ns(1),
            .reports_read_closed = true,
            .batched_changes = true,
            .wait_call = "kevent",
        } {}
  ~Kqueue() override { ::close(queue_); }

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle fd, Token token, Interest old, Interest wanted) noexcept override {
    watches_.want(fd, token, old, wanted);
    return 0;
  }

  void forget(Handle fd, Token token, Interest) noexcept override {
    Watch* watch = watches_.find(token.slot);
    if (watch == nullptr) return;
    Change deletions[2];
    int count = 0;
    for (const short filter : kFilters) {
      if ((watch->in_kernel & direction_of(filter)) == 0) continue;
      deletions[count++] = change_of(fd, token, filter, EV_DELETE | EV_RECEIPT);
    }
    watch->wanted = watch->in_kernel = 0;
    std::erase_if(failed_, [token](const Event& row) { return row.slot == token.slot; });
    if (count == 0) return;
    const timespec now = {};
    ++counters_.change_calls;
    ::kevent(queue_, deletions, count, deletions, count, &now);
  }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    if (failed_.empty()) {
      queue_changes();
      if (changes_.size() > out.size()) apply_changes();
    }
    if (rows_.size() < out.size()) rows_.resize(out.size());
    std::uint32_t count = 0;
    for (; !failed_.empty() && count < out.size(); failed_.pop_back()) watches_.place(out, count, failed_.back());

    bool full = count == out.size();
    for (bool again = !full; again && !full;) {
      const int room = static_cast<int>(out.size() - count);
      timespec storage;
      ++counters_.waits;
      const int rows = ::kevent(queue_, changes_.data(), static_cast<int>(changes_.size()), rows_.data(), room,
                                timespec_of(count > 0 ? 0 : timeout, storage));
      counters_.submissions += changes_.size();
      // Interrupted or not, the kernel has taken the changes.
      changes_.clear();
      if (rows < 0 && count == 0) return {.interrupted = errno == EINTR, .error = errno == EINTR ? 0 : errno};
      counters_.raw_events += static_cast<std::uint64_t>(std::max(rows, 0));
      full = rows == room;
      again = rows > 0 && take({rows_.data(), static_cast<std::size_t>(rows)}, out, count);
    }
    for (Event& event : out.first(count)) {
      if ((event.flags & (read_closed | error)) == 0) event.flags &= ~static_cast<std::uint32_t>(hangup);  // f)
    }
    return {.count = static_cast<int>(count), .saturated = full};
  }

 private:
  static constexpr short kFilters[] = {EVFILT_READ, EVFILT_WRITE};
  static constexpr unsigned direction_of(short filter) noexcept { return filter == EVFILT_READ ? readable : writable; }

  static Change change_of(int fd, Token token, short filter, unsigned flags) noexcept {
    Change change = {};
    change.ident = static_cast<std::uintptr_t>(fd);
    change.filter = filter;
    change.flags = static_cast<decltype(change.flags)>(flags);
    change.udata = reinterpret_cast<void*>(static_cast<std::uintptr_t>(token.generation) << 32 | token.slot);
    return change;
  }

  void queue_changes() noexcept {
    watches_.each_touched([this](Slot slot, Watch& watch) {
      for (const short filter : kFilters) {
        const unsigned direction = direction_of(filter);
        const bool add = (watch.wanted & direction) != 0;
        if ((watch.touched & direction) == 0 || (!add && (watch.in_kernel & direction) == 0)) continue;
        changes_.push_back(change_of(watch.handle, {slot, watch.generation}, filter, add ? add_flags_ : EV_DELETE));
      }
      watch.in_kernel = watch.wanted;
    });
  }

  /// Turns rows of the kernel into events. Returns whether a change has failed.
  bool take(std::span<const Change> rows, std::span<Event> out, std::uint32_t& count) noexcept {
    bool failed = false;
    for (const Change& row : rows) {
      const Event event = event_of(row);
      failed = failed || (row.flags & EV_ERROR) != 0;
      if (event.flags != 0) watches_.place(out, count, event);
    }
    return failed;
  }

  Event event_of(const Change& row) noexcept {
    const auto token = reinterpret_cast<std::uintptr_t>(row.udata);
    Event event = {static_cast<std::uint32_t>(token), static_cast<std::uint32_t>(token >> 32), 0, 0};
    if ((row.flags & EV_ERROR) != 0) {
      event.aux = static_cast<std::int32_t>(row.data);
      if (row.data != 0 && row.data != ENOENT) event.flags = refused(row, event.slot);
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

  /// Flags of a change that the kernel would not make.
  std::uint32_t refused(const Change& row, Slot slot) noexcept {
    const bool closed = row.data == EBADF && !is_open(static_cast<int>(row.ident));
    watches_[slot].in_kernel &= static_cast<std::uint8_t>(~direction_of(row.filter));
    if (!closed && capabilities_.trigger == Trigger::level) watches_.touch(slot, direction_of(row.filter));
    return closed ? invalid : error;
  }

  void apply_changes() noexcept {
    for (Change& change : changes_) change.flags |= EV_RECEIPT;
    const int size = static_cast<int>(changes_.size());
    rows_.resize(std::max(rows_.size(), changes_.size()));
    const timespec now = {};
    ++counters_.change_calls;
    const int rows = ::kevent(queue_, changes_.data(), size, rows_.data(), size, &now);
    changes_.clear();
    std::uint32_t count = 0;
    failed_.resize(static_cast<std::size_t>(std::max(rows, 0)));
    take({rows_.data(), failed_.size()}, failed_, count);
    failed_.resize(count);
  }

  const int queue_;
  const unsigned short add_flags_;
  const Capabilities capabilities_;
  Watches<> watches_;
  std::vector<Change> changes_;  // being told
  std::vector<Change> rows_;
  std::vector<Event> failed_;  // changes that apply_changes() could not make
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
