// What a sender or a receiver tells of its work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dispatch/facts.h"
#include "process/clock.h"
#include "process/usage.h"
#include "transfer/adaptive.h"

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

struct Account {
  Calls calls;
  ZeroCopy zero_copy;
  std::vector<StreamAccount> streams;
  std::string congestion;          ///< of the sockets, as the system says
  std::optional<Adaptive> adaptive;
  std::uint64_t strangers = 0;     ///< receiver: connections that were no stream of the transfer
  bool checked = true;
  // From the first byte of data to the last stream's end.
  bool started = false;
  process::Nanoseconds begin = 0;
  process::Nanoseconds end = 0;
  process::Usage usage_begin;
  process::Usage usage_end;
  dispatch::Counters counters_begin;
  dispatch::Counters counters_end;

  void start(const dispatch::Counters& counters) noexcept {
    started = true;
    begin = process::monotonic_now();
    usage_begin = process::usage();
    counters_begin = counters;
  }
  void stop(const dispatch::Counters& counters) noexcept {
    end = process::monotonic_now();
    usage_end = process::usage();
    counters_end = counters;
  }
};

}  // namespace transfer
