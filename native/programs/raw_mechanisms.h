// The mechanisms as a loop would call them with nothing in between: no registry, no generations, no checks, no virtual
// call. Each type has add(fd, reads, writes) for a descriptor that is not watched yet, set(...) for any, remove(fd),
// change_calls() (system calls made only to change interest) and wait(handle), which calls handle(fd) for every ready
// descriptor and returns what the system call returned. A descriptor may be removed or added inside handle().
#pragma once

#include <poll.h>
#include <sys/select.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(__linux__)
#include <sys/epoll.h>
#elif defined(__FreeBSD__) || defined(__NetBSD__) || defined(__APPLE__)
#include <sys/event.h>
#endif

namespace programs {

// Own bit words instead of fd_set, which ends at 1024.
class RawSelect {
 public:
  static constexpr const char* kName = "select";
  explicit RawSelect(std::size_t) {}

  static constexpr std::uint64_t change_calls() noexcept { return 0; }
  void add(int fd, bool reads, bool writes) { set(fd, reads, writes); }
  void set(int fd, bool reads, bool writes) {
    const std::size_t word = static_cast<std::size_t>(fd) / kBits;
    if (word >= reads_.size()) {
      for (auto* words : {&reads_, &writes_, &ready_reads_, &ready_writes_}) words->resize(word + 1);
    }
    put(reads_[word], fd, reads);
    put(writes_[word], fd, writes);
    if (fd > highest_) highest_ = fd;
  }
  void remove(int fd) {
    set(fd, false, false);
    while (highest_ >= 0 && !((reads_[static_cast<std::size_t>(highest_) / kBits] |
                               writes_[static_cast<std::size_t>(highest_) / kBits]) >>
                                  (static_cast<std::size_t>(highest_) % kBits) &
                              1)) {
      --highest_;
    }
  }
  template <class Handle>
  int wait(Handle handle) {
    ready_reads_ = reads_;
    ready_writes_ = writes_;
    const auto set_of = [](std::vector<Word>& words) { return reinterpret_cast<fd_set*>(words.data()); };
    const int count = select(highest_ + 1, set_of(ready_reads_), set_of(ready_writes_), nullptr, nullptr);
    if (count <= 0) return count;
    const std::size_t words = static_cast<std::size_t>(highest_) / kBits + 1;
    for (std::size_t word = 0; word < words; ++word) {
      for (Word bits = ready_reads_[word] | ready_writes_[word]; bits != 0; bits &= bits - 1) {
        handle(static_cast<int>(word * kBits) + std::countr_zero(bits));
      }
    }
    return count;
  }

 private:
  using Word = unsigned long;
  static constexpr std::size_t kBits = sizeof(Word) * 8;
  static void put(Word& word, int fd, bool on) noexcept {
    const Word bit = Word{1} << (static_cast<std::size_t>(fd) % kBits);
    word = on ? word | bit : word & ~bit;
  }
  std::vector<Word> reads_, writes_, ready_reads_, ready_writes_;
  int highest_ = -1;
};

// A dense array; removal moves the last row into the gap, so rows are visited from the end.
class RawPoll {
 public:
  static constexpr const char* kName = "poll";
  explicit RawPoll(std::size_t) {}

  static constexpr std::uint64_t change_calls() noexcept { return 0; }
  void add(int fd, bool reads, bool writes) { set(fd, reads, writes); }
  void set(int fd, bool reads, bool writes) {
    const auto slot = static_cast<std::size_t>(fd);
    if (slot >= index_.size()) index_.resize(slot + slot / 2 + 64, kNone);
    if (index_[slot] == kNone) {
      index_[slot] = static_cast<std::uint32_t>(rows_.size());
      rows_.push_back({fd, 0, 0});
    }
    rows_[index_[slot]].events = static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
  }
  void remove(int fd) {
    const std::uint32_t at = index_[static_cast<std::size_t>(fd)];
    index_[static_cast<std::size_t>(rows_.back().fd)] = at;
    rows_[at] = rows_.back();
    rows_.pop_back();
    index_[static_cast<std::size_t>(fd)] = kNone;
  }
  template <class Handle>
  int wait(Handle handle) {
    const int count = poll(rows_.data(), static_cast<nfds_t>(rows_.size()), -1);
    int left = count;
    for (std::size_t i = rows_.size(); left > 0 && i-- > 0;) {
      if (rows_[i].revents == 0) continue;
      --left;
      handle(rows_[i].fd);
    }
    return count;
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::vector<pollfd> rows_;
  std::vector<std::uint32_t> index_;  // by descriptor
};

#if defined(__linux__)
class RawEpoll {
 public:
  static constexpr const char* kName = "epoll";
  explicit RawEpoll(std::size_t max_events) : set_(epoll_create1(EPOLL_CLOEXEC)), rows_(max_events) {}
  ~RawEpoll() { close(set_); }

  std::uint64_t change_calls() const noexcept { return change_calls_; }
  void add(int fd, bool reads, bool writes) { control(EPOLL_CTL_ADD, fd, reads, writes); }
  void set(int fd, bool reads, bool writes) {
    if (!control(EPOLL_CTL_MOD, fd, reads, writes)) add(fd, reads, writes);
  }
  void remove(int fd) { control(EPOLL_CTL_DEL, fd, false, false); }
  template <class Handle>
  int wait(Handle handle) {
    const int count = epoll_wait(set_, rows_.data(), static_cast<int>(rows_.size()), -1);
    for (int i = 0; i < count; ++i) handle(rows_[static_cast<std::size_t>(i)].data.fd);
    return count;
  }

 private:
  bool control(int operation, int fd, bool reads, bool writes) noexcept {
    epoll_event row{};
    row.events = (reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u);
    row.data.fd = fd;
    ++change_calls_;
    return epoll_ctl(set_, operation, fd, &row) == 0;
  }

  int set_;
  std::uint64_t change_calls_ = 0;
  std::vector<epoll_event> rows_;
};
#elif defined(__FreeBSD__) || defined(__NetBSD__) || defined(__APPLE__)
class RawKqueue {
 public:
  static constexpr const char* kName = "kqueue";
  explicit RawKqueue(std::size_t max_events) : queue_(kqueue()), rows_(max_events) {}
  ~RawKqueue() { close(queue_); }

  std::uint64_t change_calls() const noexcept { return change_calls_; }
  void add(int fd, bool reads, bool writes) { set(fd, reads, writes); }
  void set(int fd, bool reads, bool writes) {
    struct kevent changes[2];
    EV_SET(&changes[0], fd, EVFILT_READ, EV_ADD | (reads ? EV_ENABLE : EV_DISABLE), 0, 0, nullptr);
    EV_SET(&changes[1], fd, EVFILT_WRITE, EV_ADD | (writes ? EV_ENABLE : EV_DISABLE), 0, 0, nullptr);
    control(changes, 2);
  }
  void remove(int) {}  // closing the descriptor, which follows, removes its filters
  void drop(int fd) {  // of a descriptor that stays open
    struct kevent changes[2];
    EV_SET(&changes[0], fd, EVFILT_READ, EV_DELETE, 0, 0, nullptr);
    EV_SET(&changes[1], fd, EVFILT_WRITE, EV_DELETE, 0, 0, nullptr);
    control(changes, 2);
  }
  template <class Handle>
  int wait(Handle handle) {
    const int count = kevent(queue_, nullptr, 0, rows_.data(), static_cast<int>(rows_.size()), nullptr);
    for (int i = 0; i < count; ++i) handle(static_cast<int>(rows_[static_cast<std::size_t>(i)].ident));
    return count;
  }

 private:
  void control(const struct kevent* changes, int count) noexcept {
    ++change_calls_;
    kevent(queue_, changes, count, nullptr, 0, nullptr);
  }

  int queue_;
  std::uint64_t change_calls_ = 0;
  std::vector<struct kevent> rows_;
};
#endif

}  // namespace programs
