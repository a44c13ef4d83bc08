// One request and its reply, as a protocol: what to send, and whether what came back is right. Knows no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace load {

using Bytes = std::span<const std::byte>;

enum class Verdict : std::uint8_t {
  incomplete,  ///< the reply goes on
  good,
  mismatch,    ///< complete, but not what was due
  status,      ///< complete, but the server says it failed (HTTP status outside 2xx)
  broken,      ///< not the protocol: the connection cannot be used any more
};

struct Reading {
  std::size_t used = 0;  ///< bytes that belong to this reply; the rest belongs to the next
  Verdict verdict = Verdict::incomplete;
  bool last = false;     ///< the server said that it closes the connection after this reply
  int status = 0;        ///< HTTP: of a complete reply
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  /// Bytes of every request.
  virtual std::size_t request_size() const noexcept = 0;
  /// Writes request `sequence` of connection `id` to `out`, which has room for it.
  virtual void write_request(std::uint32_t id, std::uint32_t sequence, std::byte* out) const noexcept = 0;
  /// Forgets what connection `id` had received: it begins anew, with request 0.
  virtual void restart(std::uint32_t id) noexcept = 0;
  /// Takes bytes of the reply that connection `id` waits for, up to its end.
  virtual Reading read_reply(std::uint32_t id, Bytes bytes) = 0;
  /// The stream ended: `good` etc. when that completes the reply (HTTP without a length), else `broken`.
  virtual Reading finish(std::uint32_t id) = 0;
};

/// Payload of `size` bytes: connection, sequence, then a pattern shifted by the sequence; every byte of the echo is
/// compared.
std::unique_ptr<Exchange> make_echo_exchange(std::uint32_t connections, std::size_t size);

/// GET `path` over HTTP/1.1 keep-alive. The first good reply is the reference: a later one with another body is a
/// mismatch, unless `any_body`.
std::unique_ptr<Exchange> make_http_exchange(std::uint32_t connections, const std::string& host, const std::string& path,
                                             bool any_body);

}  // namespace load
