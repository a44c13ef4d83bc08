// A ring of io_uring(7), by its system calls: submissions go in, one enter hands them over and waits, completions come out.
//
// a) Which setup flags a kernel knows is found out by asking, best first (kLadder in ring.cc); flags() says what was got.
//    Nothing that a caller asked for by name is left out: a thread that polls is had or open() fails.
// b) With single_issuer only the thread that opened the ring may enter it; any other gets EEXIST. With deferred, work of the
//    kernel for this ring is done in enter() of that thread alone, and completions show up there and at no other time.
// c) A completion queue that runs over loses nothing (IORING_FEAT_NO_DROP is required): the kernel keeps the rest and hands
//    it over at the next enter, which is why enter() asks for events even when it waits for none.
// d) The table of rings registered by a thread is the thread's: close the ring where it was opened.
#pragma once

#ifdef __linux__
#include <cstdint>

#include "uring/abi.h"

namespace uring {

struct Config {
  std::uint32_t submissions = 256;     ///< room for entries between two enters; the kernel rounds up to a power of two
  std::uint32_t completions = 0;       ///< room for completions, at least that of submissions; 0: twice as much
  bool single_issuer = true;           ///< only the opening thread enters
  bool register_descriptor = true;     ///< spare each enter the look-up of the descriptor, where the kernel has it
  bool polling_thread = false;         ///< SQPOLL: a thread of the kernel takes submissions, and burns a CPU for it
  std::uint32_t thread_idle_ms = 1000; ///< after so long without work that thread sleeps
};

/// Plain numbers, written by one thread.
struct Counters {
  std::uint64_t enters = 0;        ///< io_uring_enter calls, all of them
  std::uint64_t waits = 0;         ///< those of them that waited for completions, or looked for some
  std::uint64_t submissions = 0;   ///< entries that the kernel took
  std::uint64_t completions = 0;   ///< entries that came back
  std::uint64_t overflows = 0;     ///< enters that found the completion queue overrun
};

inline constexpr std::int64_t kForever = -1;

class Ring {
 public:
  Ring() = default;
  ~Ring() { close(); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// Returns 0 or an errno; why_not() of availability.h has a sentence for it.
  int open(const Config& config) noexcept;
  /// What was armed ends some time after this: the kernel gives up its hold of files and ports asynchronously.
  void close() noexcept;

  std::uint32_t flags() const noexcept { return flags_; }        ///< setup::*, those in force
  std::uint32_t features() const noexcept { return features_; }  ///< feature::*
  bool registered() const noexcept { return entering_ != 0; }
  const Counters& counters() const noexcept { return counters_; }

  /// A cleared entry, in the queue from now on. When there is no room, what is queued is handed over first; null only when
  /// the kernel takes nothing, and then enter() says why.
  Submission* next() noexcept {
    if (tail_ - head() >= room_ && submit() != 0) return nullptr;
    if (tail_ - head() >= room_) return nullptr;
    Submission* entry = &submissions_[tail_++ & mask_];
    *entry = Submission{};
    return entry;
  }
  /// Entries that the kernel has not taken yet.
  std::uint32_t queued() const noexcept { return tail_ - head(); }

  /// Ends everything that is armed or under way, and returns when that is so (Linux 6.0). 0 or an errno.
  int cancel_all() noexcept;

  /// Hands over what is queued, without waiting. Returns 0 or an errno.
  int submit() noexcept;

  /// Hands over what is queued and waits until `least` completions are there or `timeout_ns` is over (kForever: for ever;
  /// 0: only looks). With `least_wait_us` (needs feature::least_wait) it waits that long for `least`, and from then on for one
  /// (an hour at most).
  /// Returns 0 (also when the time was over), or an errno; EINTR: a signal. On error entries may be left in the queue.
  int enter(std::uint32_t least, std::int64_t timeout_ns, std::uint32_t least_wait_us = 0) noexcept;

  /// Completions that can be taken without entering.
  std::uint32_t ready() const noexcept { return acquire(completion_tail_) - completion_head_; }

  /// Calls visit(const Completion&) for at most `most` completions, in order, and returns for how many. The row is only
  /// valid during the call; entries may be queued in it.
  template <class Visit>
  std::uint32_t take(std::uint32_t most, Visit visit) {
    const std::uint32_t there = ready();
    const std::uint32_t count = there < most ? there : most;
    for (std::uint32_t i = 0; i < count; ++i) {
      const Completion row = completions_[completion_head_ & completion_mask_];
      // Given back row by row: an entry queued by visit() may have to be handed over, which may bring completions.
      release(completion_head_word_, ++completion_head_);
      visit(row);
    }
    counters_.completions += count;
    return count;
  }

  /// Calls visit(const Completion&) for every completion that it was not called for yet, and takes none.
  template <class Visit>
  void look(Visit visit) {
    const std::uint32_t end = acquire(completion_tail_);
    for (; looked_at_ != end; ++looked_at_) visit(completions_[looked_at_ & completion_mask_]);
  }

  /// Completions that look() has shown and take() has not.
  std::uint32_t looked() const noexcept { return looked_at_ - completion_head_; }

  /// Whether the kernel has an operation (op::*).
  bool supports(std::uint8_t operation) noexcept;

  /// io_uring_register(2) on this ring. Returns its result, or a negative errno.
  int register_with(unsigned operation, void* argument, unsigned count) noexcept;

 private:
  static std::uint32_t acquire(const std::uint32_t* word) noexcept { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
  static void release(std::uint32_t* word, std::uint32_t value) noexcept { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
  std::uint32_t head() const noexcept { return acquire(head_word_); }
  int call(std::uint32_t least, std::uint32_t flags, const void* argument, std::size_t size) noexcept;
  int map(const Parameters& parameters) noexcept;

  int fd_ = -1;
  int entered_as_ = -1;         // the descriptor, or the index it is registered under
  std::uint32_t entering_ = 0;  // entering::registered when it is
  std::uint32_t flags_ = 0, features_ = 0;
  Counters counters_;

  Submission* submissions_ = nullptr;
  std::uint32_t tail_ = 0, mask_ = 0, room_ = 0;
  std::uint32_t handed_over_ = 0;  // with a polling thread: the tail it was last shown
  std::uint32_t *head_word_ = nullptr, *tail_word_ = nullptr, *queue_flags_ = nullptr;

  const Completion* completions_ = nullptr;
  std::uint32_t completion_head_ = 0, completion_mask_ = 0, looked_at_ = 0;
  std::uint32_t *completion_head_word_ = nullptr, *completion_tail_ = nullptr;

  struct Mapping {
    void* address = nullptr;
    std::size_t length = 0;
  };
  Mapping mappings_[3];  // submission ring, completion ring where it is one of its own, submissions
};

}  // namespace uring
#endif
