// Streaming parser of HTTP/1.x replies (RFC 9112): status, framing by Content-Length, chunked or end of stream, and a
// digest of the body. Takes bytes in any division; keeps about 150 bytes, and the body only where it is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "load/exchange.h"

namespace load {

class HttpReply {
 public:
  enum class Progress : std::uint8_t { more, done, invalid };
  /// What a reader that passes the reply on wants of it.
  struct Kept {
    std::string content_type;  ///< empty: there was none, or it was too long
    std::string body;          ///< without chunk framing; whoever feeds the parser bounds it, by body_size()
  };

  HttpReply() noexcept = default;
  explicit HttpReply(Kept* kept) noexcept : kept_(kept) {}

  /// Takes bytes up to the end of the reply; `used` says how many. After `done` or `invalid` call reset().
  Progress feed(Bytes bytes, std::size_t& used) noexcept;
  /// The stream ended: done when the reply's end is the stream's end, else invalid.
  Progress finish() noexcept;
  void reset() noexcept { *this = HttpReply(kept_); }
  bool begun() const noexcept { return header_bytes_ > 0; }

  int status() const noexcept { return status_; }
  /// The connection cannot carry another reply: "Connection: close", HTTP/1.0, or a body without a length.
  bool last() const noexcept { return last_; }
  /// FNV-1a (64 bits) of the body's bytes, without chunk framing.
  std::uint64_t body_digest() const noexcept { return digest_; }
  std::uint64_t body_size() const noexcept { return body_size_; }

 private:
  enum class Part : std::uint8_t { status, headers, body, chunk_size, chunk, chunk_end, trailers, until_close };
  static constexpr std::size_t kLine = 96;           // longer header lines are cut: those we read are short
  static constexpr std::size_t kMostHeader = 65536;  // bytes of a header section

  bool take_line() noexcept;
  bool take_status() noexcept;
  bool take_header() noexcept;
  bool end_headers() noexcept;
  bool take_chunk_size() noexcept;
  void take_body(Bytes bytes) noexcept;

  Kept* kept_ = nullptr;
  Part part_ = Part::status;
  bool chunked_ = false;
  bool sized_ = false;
  bool last_ = false;
  bool done_ = false;
  int status_ = 0;
  std::uint64_t remaining_ = 0;
  std::uint64_t body_size_ = 0;
  std::uint64_t digest_ = 0xcbf29ce484222325u;
  std::uint32_t header_bytes_ = 0;
  std::uint32_t line_size_ = 0;
  char line_[kLine];
};

}  // namespace load
