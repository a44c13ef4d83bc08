// Poll requests of io_uring(7), one for each descriptor: armed, cancelled, and told apart by name.
#pragma once

#ifdef __linux__
#include <bit>
#include <cerrno>
#include <vector>

#include "dispatch/poll_bits.h"
#include "dispatch/watches.h"
#include "uring/ring.h"

namespace dispatch {

/// A request is named by slot and serial: what comes of an earlier serial is about one that was cancelled.
struct PollRequest : Watch {
  std::uint32_t serial = 0;
  bool multishot = false;  ///< tells of every change, not of the next state alone
  bool spent = false;      ///< has told once, armed though it still is
};

class PollRequests {
 public:
  /// Returns 0 or an errno. EINVAL: the kernel has no multishot requests (Linux 5.13).
  int open() noexcept {
    const int error = ring.open({.submissions = 256, .completions = 8192});
    return error == 0 && (ring.features() & uring::feature::tags) == 0 ? EINVAL : error;
  }

  static constexpr std::uint64_t name_of(Slot slot, const PollRequest& request) noexcept {
    return std::uint64_t{request.serial} << 32 | slot;
  }
  /// Whether a row is about a request for a descriptor, and of its life.
  static bool tells(const uring::Completion& row) noexcept {
    return row.user_data != kCancellation && row.result != -ECANCELED;
  }
  static bool is_last(const uring::Completion& row) noexcept { return (row.flags & uring::completed::more) == 0; }

  /// Queues a request. False: the kernel takes no entries.
  bool arm(Slot slot, PollRequest& request) noexcept {
    static_assert(std::endian::native == std::endian::little, "the kernel reads poll bits in halves of a word");
    uring::Submission* const entry = ring.next();
    if (entry == nullptr) return false;
    entry->opcode = uring::op::poll_add;
    entry->fd = request.handle;
    entry->op_flags = static_cast<std::uint16_t>(poll_bits(static_cast<Interest>(request.wanted)));
    entry->length = request.multishot ? uring::kPollMultishot : 0;
    entry->user_data = name_of(slot, request);
    request.in_kernel = request.wanted;
    request.spent = false;
    return true;
  }

  /// Queues the end of a request; a new one may be armed at once.
  bool cancel(Slot slot, PollRequest& request) noexcept {
    uring::Submission* const entry = ring.next();
    if (entry == nullptr) return false;
    entry->opcode = uring::op::cancel;
    entry->fd = -1;
    entry->address = name_of(slot, request);
    entry->user_data = kCancellation;
    request.in_kernel = 0;
    ++request.serial;
    return true;
  }

  /// Ends a request and returns when the kernel has let go of the file. Rows of others are kept in `held`.
  void release(Slot slot, PollRequest& request, std::vector<uring::Completion>& held) noexcept {
    const std::uint64_t name = name_of(slot, request);
    const bool armed = request.in_kernel != 0;
    for (bool over = !armed || !cancel(slot, request); !over;) {
      const int error = ring.enter(1, kLongEnough);
      if ((error != 0 && error != EINTR) || ring.ready() == 0) return;
      ring.take(UINT32_MAX, [&](const uring::Completion& row) {
        const bool was_over = row.user_data == kCancellation && row.result == -ENOENT;
        over = over || was_over || (row.user_data == name && is_last(row));
        if (row.user_data != name && tells(row)) held.push_back(row);
      });
    }
  }

  uring::Ring ring;

 private:
  static constexpr std::uint64_t kCancellation = ~std::uint64_t{0};
  static constexpr std::int64_t kLongEnough = 1'000'000'000;  // nanoseconds; a cancellation takes microseconds
};

}  // namespace dispatch
#endif
