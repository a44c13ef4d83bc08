// libFuzzer: the servers' HTTP parser. However the bytes are cut, it stops at the same places with the same words.
#include <cstdlib>
#include <span>
#include <vector>

#include "servers/http_request.h"

namespace {

using servers::HttpRequest;
using servers::Parsed;

struct Stop {
  Parsed parsed;
  std::size_t at;
  int status;
  bool keeps_alive;
  bool operator==(const Stop&) const = default;
};

/// Where the parser stops with something to act upon, when it is given pieces of at most `piece` bytes.
std::vector<Stop> stops(std::span<const std::byte> bytes, std::size_t piece, std::size_t most_head) {
  std::vector<Stop> all;
  HttpRequest request;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t given = std::min(piece, bytes.size() - at);
    std::size_t taken = 0;
    int status = 0;
    const Parsed parsed = request.feed(bytes.subspan(at, given), taken, status, most_head);
    if (taken > given || (taken == 0 && parsed != Parsed::rejected && parsed != Parsed::complete)) std::abort();
    if (parsed == Parsed::need_more && taken != given) std::abort();
    if ((parsed == Parsed::rejected) != (status != 0)) std::abort();
    at += taken;
    if (parsed == Parsed::need_more) continue;
    all.push_back({parsed, at, status, parsed == Parsed::complete && request.keeps_alive()});
    if (parsed == Parsed::rejected) break;
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  // The servers' limit, and one that inputs reach.
  for (const std::size_t most_head : {servers::kMaxHeadBytes, std::size_t{64}}) {
    const std::vector<Stop> whole = stops(bytes, size, most_head);
    if (stops(bytes, 1, most_head) != whole || stops(bytes, 7, most_head) != whole) std::abort();
  }
  return 0;
}
