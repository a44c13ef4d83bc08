// What a sender or a receiver tells of its work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "process/clock.h"
#include "transfer/adaptive.h"
#include "transfer/span.h"

namespace transfer {

/// System calls that move bytes or tell of them, and what became of them.
struct Calls {
  std::uint64_t sends = 0;        ///< of data: send, sendfile, splice into the socket
  std::uint64_t fills = 0;        ///< splice into a pipe
  std::uint64_t receives = 0;     ///< of data: recv
  std::uint64_t blocked = 0;      ///< of both: those that found no room, or nothing
  std::uint64_t completions = 0;  ///< readings of what became of sends without a copy
  std::uint64_t looks = 0;        ///< readings of what has arrived, to choose the number of streams
};

/// Sends without a copy: each must be told of by the kernel, that its memory may be used again.
struct ZeroCopy {
  std::uint64_t sends = 0;
  std::uint64_t completed = 0;
  std::uint64_t copied = 0;    ///< completed ones that the kernel copied after all, as it does on loopback
  std::uint64_t fell_back = 0;  ///< sent as copies, because there was no memory for more notes of completion
};

struct StreamAccount {
  std::uint64_t bytes = 0;
  std::uint64_t digest = 0;
  bool whole = false;                     ///< the receiver has what was sent
  process::Nanoseconds connect = 0;       ///< sender: from connect(2) until the connection stood
  std::int64_t retransmits = -1;          ///< sender: segments sent again; -1 where the system does not tell
};

/// From the first byte of data to the last stream's end.
struct Account : Span {
  Calls calls;
  ZeroCopy zero_copy;
  std::vector<StreamAccount> streams;
  std::string congestion;          ///< of the sockets, as the system says
  std::optional<Adaptive> adaptive;
  std::uint64_t strangers = 0;     ///< receiver: connections that were no stream of the transfer
  bool checked = true;
};

}  // namespace transfer
