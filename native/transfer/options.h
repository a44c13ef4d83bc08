// The command line of dispatchbench-transfer; src/programs/transfer.ts writes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "servers/options.h"

namespace transfer {

enum class Role : std::uint8_t { sender, receiver };

/// How bytes come to the socket: copied out of memory, by the kernel out of a file, out of a file through a pipe, or read
/// where they lie, as a call of its own or as an entry of io_uring.
enum class Way : std::uint8_t { copy, sendfile, splice, zerocopy, uring_zerocopy };
const char* name_of(Way way) noexcept;
const char* name_of(Role role) noexcept;

struct Options {
  Role role = Role::receiver;
  servers::Options base;         ///< backend, CPUs, control channel, rows of a wait
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint32_t streams = 1;     ///< sender
  /// Bytes: most that one call is given. The receiver's own choice, whatever the sender's is: it takes what there is, into
  /// one buffer for all streams, which is large enough to spare calls and small enough to stay in a cache.
  std::size_t chunk = 0;         ///< 0: kSent or kReceived
  std::size_t budget = 1 << 20;  ///< bytes that one stream moves before it is another one's turn
  std::size_t memory = 8 << 20;  ///< sender: bytes that are sent round and round, whole chunks of them
  Way way = Way::copy;           ///< sender
  std::string congestion;        ///< congestion control of the sockets; empty: the one of all sockets of the suite (reno)
  bool adaptive = false;         ///< sender: of its streams as many send as pay (adaptive.h)
  bool checked = true;           ///< sender: a checksum for each stream
  std::uint64_t bytes = 0;       ///< sender: of all streams together; 0: for `duration_ms`
  std::uint64_t duration_ms = 0;
  std::uint64_t patience_ms = 10'000;  ///< a stream on which nothing moves for so long ends the transfer
  std::uint64_t seed = 1;              ///< sender: of the generator of its bytes
};

inline constexpr std::size_t kSent = 64 << 10;
inline constexpr std::size_t kReceived = 256 << 10;

/// Reads `arguments` (without the program's name). Returns one sentence on what is wrong, empty when nothing is.
std::string parse_options(std::span<char* const> arguments, Options& options);

}  // namespace transfer
