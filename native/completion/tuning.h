// How a completion engine is to use its ring: --engine-options of the servers, words and numbers between commas.
#pragma once

#include <cstdint>
#include <string>

namespace completion {

struct Tuning {
  bool registered = true;        ///< no-register: each enter looks up the ring's descriptor
  bool direct = false;           ///< direct: connections have places in the ring's own table, and no descriptor
  bool incremental = false;      ///< incremental: a buffer is filled by several receives (Linux 6.12)
  bool bundle = false;           ///< bundle: a receive fills as many buffers as there are bytes for (Linux 6.10)
  bool polling_thread = false;   ///< sqpoll: a thread of the kernel takes submissions, and burns a CPU for it
  std::uint32_t buffers = 256;   ///< buffers=N: how many the kernel may fill, a power of two
  std::uint32_t bytes = 2048;    ///< bytes=N: room of each
  std::uint32_t batch = 1;       ///< batch=N: completions to wait for, at most wait= microseconds
  std::uint32_t zero_copy = 0;   ///< zerocopy=N: replies of so many bytes and more are sent without copying; 0: none are
  std::uint32_t napi_us = 0;     ///< napi=N: microseconds that a wait polls the network device for (Linux 6.9); 0: not at all
  std::uint32_t wait_us = 0;     ///< wait=N: microseconds (Linux 6.12); from then on one completion is enough
};

/// Reads `text` into `tuning`. Returns one sentence on what is wrong, empty when nothing is.
std::string read_tuning(const std::string& text, Tuning& tuning);

/// What of it a protocol cannot be served with, in one sentence; empty when nothing is. `native`: replies to received bytes
/// are those bytes where they lie, and no copy of them.
std::string unfit(const Tuning& tuning, const std::string& protocol, bool native);

}  // namespace completion
