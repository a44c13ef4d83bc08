// A strict, small, incremental parser of HTTP/1.x requests. It keeps no bytes: 16 bytes of state per connection hold
// everything between two fragments, so an idle or slow connection costs no buffer. Bodies are counted, not stored.
// servers/http-request.ts is the same machine in TypeScript; test/servers/http-fuzz.test.ts holds them to equal results.
//
// Grammar: RFC 9112 without its leniencies (no bare LF, no obs-fold, no empty line before a request).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace servers {

/// Bytes of request line and header fields together, line ends included, unless another limit is given; longer is answered
/// with 431.
inline constexpr std::size_t kMaxHeadBytes = 8192;

/// What feed() stopped at.
enum class Parsed : std::uint8_t {
  need_more,  ///< every byte was taken and the request is not over
  proceed,    ///< the head is over and the client waits for 100 Continue before it sends the body
  complete,   ///< a request is over: answer it, then feed the rest
  rejected,   ///< not a request this server takes: answer `status` and close; feed no more
};

/// Bits of HttpRequest::flags.
enum RequestFlag : std::uint16_t {
  head_method = 1,  ///< HEAD: the answer carries no body
  version_1_0 = 2,
  wants_close = 4,       ///< Connection: close
  wants_keep_alive = 8,  ///< Connection: keep-alive
  expects_continue = 16,
  has_length = 32,
  has_host = 64,
  word_ended = 128,  ///< white space came after a word of the value being read
};

/// One connection's parser; all zero at first.
struct HttpRequest {
  std::uint64_t body_left = 0;  ///< Content-Length, then what is left of the body
  std::uint16_t head_bytes = 0;
  std::uint16_t flags = 0;   ///< of the request being read, or of the one just completed
  std::uint8_t state = 0;
  std::uint8_t word = 0;     ///< known word that the text being read may become
  std::uint8_t matched = 0;  ///< its characters that matched; of other text only whether there is any

  /// Takes bytes up to the first thing to act upon; `taken` says how many. `status` is set only when rejected.
  /// `most_head`: see kMaxHeadBytes; at most 65 535, and the same for the whole of a request.
  Parsed feed(std::span<const std::byte> bytes, std::size_t& taken, int& status,
              std::size_t most_head = kMaxHeadBytes) noexcept;

  /// Whether the connection stays open after the answer to the request just completed.
  bool keeps_alive() const noexcept {
    return (flags & wants_close) == 0 && ((flags & version_1_0) == 0 || (flags & wants_keep_alive) != 0);
  }
};
static_assert(sizeof(HttpRequest) == 16);

}  // namespace servers
