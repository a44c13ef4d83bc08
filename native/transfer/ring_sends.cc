#include "transfer/ring_sends.h"

#ifdef __linux__
#include <sys/socket.h>

#include <cerrno>

#include "process/clock.h"
#include "uring/availability.h"
#endif

namespace transfer {

#ifdef __linux__
std::string RingSends::open(Account& account) {
  account_ = &account;
  const std::string refusal = "--way uring-zerocopy is not available here: ";
  if (const int error = ring_.open({.submissions = 8, .completions = 4096})) {
    return refusal + uring::why_not(error, uring::circumstances());
  }
  return ring_.supports(uring::op::send_zero_copy) ? "" : refusal + "Linux has it from 6.0 on";
}

/// Hands over what is queued, waits for a completion, and takes all that there are.
int RingSends::enter(std::int64_t timeout_ns) noexcept {
  const int error = ring_.enter(1, timeout_ns);
  ring_.take(UINT32_MAX, [this](const uring::Completion& row) {
    if ((row.flags & uring::completed::notification) != 0) {
      --untold_;
      ++account_->zero_copy.completed;
      if ((static_cast<std::uint32_t>(row.result) & uring::kWasCopied) != 0) ++account_->zero_copy.copied;
      return;
    }
    answered_ = true;
    result_ = row.result;
    if ((row.flags & uring::completed::more) != 0) {
      ++untold_;
      ++account_->zero_copy.sends;
    }
  });
  return error == EINTR ? 0 : error;
}

ssize_t RingSends::send(int fd, std::span<const std::byte> piece) noexcept {
  uring::Submission* const entry = ring_.next();
  if (entry == nullptr) return -EBUSY;
  entry->opcode = uring::op::send_zero_copy;
  entry->priority = uring::kReportCopies;
  entry->fd = fd;
  entry->address = reinterpret_cast<std::uint64_t>(piece.data());
  entry->length = static_cast<std::uint32_t>(piece.size());
  entry->op_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  answered_ = false;
  if (const int error = enter(uring::kForever)) return -error;
  while (!answered_) {
    ++account_->calls.completions;
    if (const int error = enter(uring::kForever)) return -error;
  }
  return result_;
}

void RingSends::settle() noexcept {
  const process::Nanoseconds end = process::monotonic_now() + 1000 * process::kMillisecond;
  while (untold_ > 0 && process::monotonic_now() < end) {
    ++account_->calls.completions;
    if (enter(100 * process::kMillisecond) != 0) return;
  }
}
#else
std::string RingSends::open(Account&) { return "--way uring-zerocopy is not available here: Linux only"; }
ssize_t RingSends::send(int, std::span<const std::byte>) noexcept { return -1; }
void RingSends::settle() noexcept {}
#endif

}  // namespace transfer
