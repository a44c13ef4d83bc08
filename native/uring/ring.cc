#ifdef __linux__
#include "uring/ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

namespace uring {
namespace {

// The same numbers on every architecture but alpha, which has none of ours.
constexpr long kSetup = 425, kEnter = 426, kRegister = 427;

// Best first; a kernel refuses flags that it does not know, or not together, with EINVAL.
constexpr std::uint32_t kLadder[] = {
    setup::submit_all | setup::single_issuer | setup::deferred | setup::no_array,
    setup::submit_all | setup::single_issuer | setup::deferred,
    setup::submit_all | setup::single_issuer | setup::cooperative,
    setup::submit_all | setup::cooperative,
    setup::submit_all,
    0,
};
// A kernel thread that polls excludes what is about the work of the entering one.
constexpr std::uint32_t kNotWithThread = setup::deferred | setup::cooperative;
// Deferring is only for one issuer.
constexpr std::uint32_t kOfOneIssuer = setup::single_issuer | setup::deferred;

constexpr std::uint32_t kRequired = feature::no_drop | feature::wait_argument;

int open_with(const Config& config, std::uint32_t flags, Parameters& parameters) noexcept {
  parameters = {};
  parameters.flags = flags | setup::clamp;
  if (config.completions != 0) {
    parameters.flags |= setup::completions;
    parameters.completions = config.completions;
  }
  if (config.polling_thread) {
    parameters.flags |= setup::thread;
    parameters.thread_idle_ms = config.thread_idle_ms;
  }
  return static_cast<int>(::syscall(kSetup, config.submissions, &parameters));
}

}  // namespace

int Ring::open(const Config& config) noexcept {
  close();
  Parameters parameters;
  std::uint32_t left_out = config.single_issuer ? 0 : kOfOneIssuer;
  if (config.polling_thread) left_out |= kNotWithThread;
  for (const std::uint32_t rung : kLadder) {
    fd_ = open_with(config, rung & ~left_out, parameters);
    if (fd_ >= 0 || errno != EINVAL) break;
  }
  if (fd_ < 0) return errno;
  flags_ = parameters.flags;
  features_ = parameters.features;
  int error = (features_ & kRequired) == kRequired ? map(parameters) : ENOSYS;
  if (error != 0) {
    close();
    return error;
  }
  entered_as_ = fd_;
  if (config.register_descriptor) {
    ResourceUpdate self = {.offset = UINT32_MAX, .reserved = 0, .data = static_cast<std::uint64_t>(fd_)};
    if (register_with(registering::ring, &self, 1) == 1) {
      entered_as_ = static_cast<int>(self.offset);
      entering_ = entering::registered;
    }
  }
  return 0;
}

int Ring::map(const Parameters& p) noexcept {
  const auto map_one = [this](Mapping& mapping, std::size_t length, std::int64_t offset) {
    void* address = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, offset);
    if (address == MAP_FAILED) return false;
    mapping = {address, length};
    return true;
  };
  const bool has_array = (p.flags & setup::no_array) == 0;
  const std::size_t entries_end = p.completion.completions + p.completions * sizeof(Completion);
  std::size_t ring_end = has_array ? p.submission.array + p.submissions * sizeof(std::uint32_t) : 0;
  const bool single = (p.features & feature::single_map) != 0;
  if (single && ring_end < entries_end) ring_end = entries_end;
  if (!map_one(mappings_[0], ring_end, kSubmissionRing)) return errno;
  if (!single && !map_one(mappings_[1], entries_end, kCompletionRing)) return errno;
  if (!map_one(mappings_[2], p.submissions * sizeof(Submission), kSubmissions)) return errno;

  auto* const ring = static_cast<char*>(mappings_[0].address);
  auto* const back = single ? ring : static_cast<char*>(mappings_[1].address);
  const auto word = [](char* base, std::uint32_t offset) { return reinterpret_cast<std::uint32_t*>(base + offset); };
  submissions_ = static_cast<Submission*>(mappings_[2].address);
  head_word_ = word(ring, p.submission.head);
  tail_word_ = word(ring, p.submission.tail);
  queue_flags_ = word(ring, p.submission.flags);
  tail_ = handed_over_ = *tail_word_;
  room_ = p.submissions;
  mask_ = p.submissions - 1;
  if (has_array) {
    // Entries are handed over in the order of their places, so the array that could say otherwise is written once.
    std::uint32_t* const array = word(ring, p.submission.array);
    for (std::uint32_t i = 0; i < p.submissions; ++i) array[i] = i;
  }
  completions_ = reinterpret_cast<const Completion*>(back + p.completion.completions);
  completion_head_word_ = word(back, p.completion.head);
  completion_tail_ = word(back, p.completion.tail);
  completion_head_ = looked_at_ = *completion_head_word_;
  completion_mask_ = p.completions - 1;
  return 0;
}

void Ring::close() noexcept {
  if (fd_ < 0) return;
  if (entering_ != 0) {
    ResourceUpdate self = {.offset = static_cast<std::uint32_t>(entered_as_), .reserved = 0, .data = 0};
    register_with(registering::unregister_ring, &self, 1);
  }
  for (Mapping& mapping : mappings_) {
    if (mapping.address != nullptr) ::munmap(mapping.address, mapping.length);
    mapping = {};
  }
  ::close(fd_);
  fd_ = -1;
  entering_ = 0;
}

int Ring::call(std::uint32_t least, std::uint32_t flags, const void* argument, std::size_t size) noexcept {
  const std::uint32_t before = head();
  release(tail_word_, tail_);
  const std::uint32_t handing_over = tail_ - before;
  if ((flags_ & setup::thread) != 0) {
    // The kernel's thread takes entries by itself, unless it sleeps: it says so before it looks for the last time.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if ((acquire(queue_flags_) & queue::thread_sleeps) != 0) flags |= entering::wake_thread;
    counters_.submissions += tail_ - handed_over_;
    handed_over_ = tail_;
    if (flags == 0) return 0;
  }
  if ((acquire(queue_flags_) & queue::overflown) != 0) {
    flags |= entering::wait;  // has the kernel move what it kept
    ++counters_.overflows;
  }
  ++counters_.enters;
  if ((flags & entering::wait) != 0) ++counters_.waits;
  const long result = ::syscall(kEnter, entered_as_, handing_over, least, flags | entering_, argument, size);
  const int error = result < 0 ? errno : 0;
  if ((flags_ & setup::thread) == 0) counters_.submissions += head() - before;
  return error;
}

int Ring::submit() noexcept {
  if (queued() == 0) return 0;
  // With a thread there may be nothing to do but to let it make room.
  const bool full = (flags_ & setup::thread) != 0 && queued() >= room_;
  return call(0, full ? entering::wait_for_room : 0, nullptr, 0);
}

int Ring::enter(std::uint32_t least, std::int64_t timeout_ns, std::uint32_t least_wait_us) noexcept {
  // Without a timeout of its own a wait ends with its least time, also when nothing came; an hour is as good as for ever.
  if (least_wait_us > 0 && timeout_ns < 0) timeout_ns = 3'600'000'000'000;
  const std::int64_t time[2] = {timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};  // __kernel_timespec
  const bool waits = least > 0 && timeout_ns != 0;
  const WaitArgument argument = {
      .signals = 0,
      .signals_size = 0,
      .least_wait_us = waits ? least_wait_us : 0,
      .timeout = timeout_ns > 0 ? reinterpret_cast<std::uint64_t>(time) : 0,
  };
  const int error = call(waits ? least : 0, entering::wait | entering::argument, &argument, sizeof argument);
  return error == ETIME ? 0 : error;
}

int Ring::cancel_all() noexcept {
  SyncCancel all = {};
  all.fd = -1;
  all.flags = cancelling::all | cancelling::any;
  all.seconds = all.nanoseconds = -1;  // however long it takes
  const int result = register_with(registering::sync_cancel, &all, 1);
  return result == -ENOENT || result >= 0 ? 0 : -result;
}

bool Ring::supports(std::uint8_t operation) noexcept {
  OperationProbe probe = {};
  if (register_with(registering::probe, &probe, std::size(probe.operations)) < 0) return false;
  return operation < probe.count && (probe.operations[operation].flags & kOperationSupported) != 0;
}

int Ring::register_with(unsigned operation, void* argument, unsigned count) noexcept {
  const long result = ::syscall(kRegister, fd_, operation, argument, count);
  return result < 0 ? -errno : static_cast<int>(result);
}

}  // namespace uring
#endif
