// libFuzzer: the HTTP parser of load clients and gateways. However the bytes are cut, it reads and keeps the same replies.
#include <algorithm>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "load/http_reply.h"

namespace {

using load::HttpReply;

struct Reply {
  HttpReply::Progress progress;
  std::size_t at;
  int status;
  bool last;
  std::uint64_t digest;
  std::uint64_t size;
  std::string type;
  std::string body;
  bool operator==(const Reply&) const = default;
};

/// The replies in a stream that arrives in pieces of at most `piece` bytes and then ends.
std::vector<Reply> replies(std::span<const std::byte> bytes, std::size_t piece) {
  std::vector<Reply> all;
  HttpReply::Kept kept;
  HttpReply reply(&kept);
  const auto note = [&](HttpReply::Progress progress, std::size_t at) {
    if (kept.body.size() != reply.body_size()) std::abort();
    all.push_back({progress, at, reply.status(), reply.last(), reply.body_digest(), reply.body_size(),
                   std::exchange(kept.content_type, {}), std::exchange(kept.body, {})});
  };
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t given = std::min(piece, bytes.size() - at);
    std::size_t used = 0;
    const HttpReply::Progress progress = reply.feed(bytes.subspan(at, given), used);
    if (used == 0 || used > given) std::abort();
    if (progress == HttpReply::Progress::more && used != given) std::abort();
    at += used;
    if (reply.body_size() > at) std::abort();
    if (progress == HttpReply::Progress::more) continue;
    note(progress, at);
    if (progress == HttpReply::Progress::invalid) return all;
    reply.reset();
  }
  if (reply.begun()) note(reply.finish(), bytes.size());
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const std::vector<Reply> whole = replies(bytes, size);
  if (replies(bytes, 1) != whole || replies(bytes, 7) != whole) std::abort();
  return 0;
}
