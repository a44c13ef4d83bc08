// select of Windows: an fd_set is no bitmap there but a count and that many SOCKET handles, in any order.
//
// a) FD_SETSIZE (64) is the length of the array in the header's fd_set, and no limit of the call: it takes the count
//    that it is given. The sets are our own, as long as needed.
// b) A wait costs what is registered: Winsock looks up each handle. The sets come back with the ready handles alone, so
//    they are copied before each wait; rows are found by the handle.
// c) A connection that fails is in the third set and in no other: it is asked for with the second, and is an error.
// d) Three empty sets are refused (WSAEINVAL): nothing to wait for is a pause.
// e) One handle that is no socket fails the whole call with WSAENOTSOCK and does not say which: each is asked, and
//    those that are gone are reported and dropped.
// f) Whatever does not fit in the caller's result array is served first by the next wait, by a turn of the array.
// g) Timeouts are in microseconds, as far as the system's clock goes; asked here in milliseconds, rounded up.
#ifdef _WIN32
#include <cstddef>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "dispatch/factories.h"
#include "dispatch/handles.h"
#include "dispatch/winsock.h"

namespace dispatch {
namespace {

/// An fd_set of any length.
class SocketSet {
 public:
  void clear() noexcept { words_.assign(1, 0); }
  void add(Handle handle) noexcept { words_.push_back(handle); }
  bool empty() const noexcept { return words_.size() == 1; }
  fd_set* get() noexcept {
    // The count is 32 bits and padded to the first handle.
    static_assert(offsetof(fd_set, fd_array) == sizeof(Handle));
    const auto count = static_cast<u_int>(words_.size() - 1);
    std::memcpy(words_.data(), &count, sizeof(count));
    return reinterpret_cast<fd_set*>(words_.data());
  }
  /// After the call: the handles that are ready.
  std::span<const Handle> ready() const noexcept {
    u_int count = 0;
    std::memcpy(&count, words_.data(), sizeof(count));
    return {words_.data() + 1, count};
  }

 private:
  std::vector<Handle> words_ = {0};
};

struct Watched {
  Handle handle;
  Token token;
  Interest wanted;
  std::uint32_t flags = 0;  // of the wait under way
};

class WindowsSelect final : public Backend {
 public:
  explicit WindowsSelect(Counters& counters) noexcept : Backend(counters) {}

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle handle, Token token, Interest, Interest wanted) noexcept override {
    if (wanted == Interest::none) {
      remove(handle);
    } else if (const auto found = position_.find(handle); found != position_.end()) {
      watched_[found->second].wanted = wanted;
    } else {
      position_[handle] = watched_.size();
      watched_.push_back({handle, token, wanted});
    }
    return 0;
  }

  void forget(Handle handle, Token, Interest) noexcept override { remove(handle); }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    const int milliseconds = milliseconds_of(timeout);
    if (watched_.empty()) {
      pause(milliseconds);
      return {};
    }
    for (SocketSet* set : {&read_, &write_, &failed_}) set->clear();
    for (Watched& one : watched_) {
      one.flags = 0;
      if (wants_read(one.wanted)) read_.add(one.handle);
      if (wants_write(one.wanted)) write_.add(one.handle), failed_.add(one.handle);
    }
    timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
    ++counters_.waits;
    const int ready = ::select(0, read_.get(), write_.get(), failed_.get(), milliseconds < 0 ? nullptr : &time);
    if (ready < 0) {
      const int error = errno_of_winsock();
      if (error != EBADF) return {.error = error};
      mark_closed();
    } else {
      counters_.raw_events += static_cast<std::uint64_t>(ready);
      if (ready == 0) return {};
      mark(read_, readable);
      mark(write_, writable);
      mark(failed_, error);
    }
    return collect(out);
  }

 private:
  void mark(const SocketSet& set, std::uint32_t flag) noexcept {
    for (const Handle handle : set.ready()) watched_[position_[handle]].flags |= flag;
  }

  void mark_closed() noexcept {
    for (Watched& one : watched_) {
      if (!is_open(one.handle)) one.flags = invalid;
    }
  }

  WaitResult collect(std::span<Event> out) noexcept {
    std::size_t count = 0;
    const std::size_t size = watched_.size();
    std::size_t at = start_ < size ? start_ : 0;
    for (std::size_t looked = 0; looked < size && count < out.size(); ++looked, at = at + 1 < size ? at + 1 : 0) {
      const Watched& one = watched_[at];
      if (one.flags == 0) continue;
      if (one.flags == invalid) closed_.push_back(one.handle);
      out[count++] = {one.token.slot, one.token.generation, one.flags, 0};
    }
    start_ = count == out.size() ? at : 0;
    for (const Handle handle : closed_) remove(handle);
    closed_.clear();
    return {.count = static_cast<int>(count), .saturated = count == out.size()};
  }

  void remove(Handle handle) noexcept {
    const auto found = position_.find(handle);
    if (found == position_.end()) return;
    const std::size_t hole = found->second;
    position_[watched_.back().handle] = hole;
    watched_[hole] = watched_.back();
    watched_.pop_back();
    position_.erase(handle);
  }

  const Capabilities capabilities_ = {
      .trigger = Trigger::level,
      .wait_complexity = WaitComplexity::registered,
      .timeout_resolution_ns = 1'000'000,
      .wait_call = "select",
  };
  std::vector<Watched> watched_;
  std::unordered_map<Handle, std::size_t> position_;  // in watched_
  SocketSet read_, write_, failed_;
  std::vector<Handle> closed_;  // to drop after the scan
  std::size_t start_ = 0;
};

}  // namespace

std::unique_ptr<Backend> make_select(Counters& counters, int& error) {
  error = begin_winsock();
  if (error != 0) return nullptr;
  return std::make_unique<WindowsSelect>(counters);
}

}  // namespace dispatch
#endif
