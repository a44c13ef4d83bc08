// Sends without a copy as entries of io_uring (SEND_ZC): an entry and an enter for each, which also brings word of earlier ones,
// so that no queue of errors has to be read. Which stream may send is still the poller's to say: what is compared with
// MSG_ZEROCOPY is the way to send, under the same loop.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "transfer/account.h"
#ifdef __linux__
#include "uring/ring.h"
#endif

namespace transfer {

class RingSends {
 public:
  /// `account` is where it counts, as long as it sends. One sentence on why there is none.
  std::string open(Account& account);
  /// Sends at once what there is room for. Bytes, or a negative errno.
  ssize_t send(int fd, std::span<const std::byte> piece) noexcept;
  /// Waits until the kernel has told of every send, for a second at most.
  void settle() noexcept;

 private:
#ifdef __linux__
  int enter(std::int64_t timeout_ns) noexcept;

  uring::Ring ring_;
  Account* account_ = nullptr;
  std::uint64_t untold_ = 0;  ///< sends whose memory the kernel may still read
  bool answered_ = false;     ///< the result of the last send is there
  ssize_t result_ = 0;
#endif
};

}  // namespace transfer
