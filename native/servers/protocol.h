// What a TCP server does with received bytes. A protocol is a type with a per-connection State and one function,
// chosen at compile time, so that the loops of native/servers and native/programs carry no call through a pointer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "servers/http_request.h"
#include "servers/http_response.h"
#include "servers/statistics.h"

namespace servers {

/// Whose the bytes of a reply are, and so how long they stay as they are. Whoever sends them later has to copy them
/// first, or to put off what would change them.
enum class Owner : std::uint8_t {
  program,   ///< constant text: for ever
  window,    ///< what was received: until something is read into the receive window
  protocol,  ///< put together for this reply: until the protocol answers again, whichever connection
};

/// Bytes to send in answer to one read, and whether the connection ends after them.
struct Reply {
  std::span<const std::byte> bytes;
  bool close = false;
  Owner owner = Owner::program;
};

/// Sends back what came; a read that brings bytes is a request.
class Echo {
 public:
  struct State {};

  Reply answer(State&, std::span<const std::byte> received, Statistics& statistics) noexcept {
    ++statistics.requests;
    return {received, false, Owner::window};
  }
};

/// HTTP/1.x, pipelining included: all answers to one read leave in one send.
class Http {
 public:
  using State = HttpRequest;

  Reply answer(State& request, std::span<const std::byte> received, Statistics& statistics) {
    std::string_view first;
    staging_.clear();
    const auto put = [&](std::string_view text) {
      // One answer, by far the most frequent case, is sent from where it lies.
      if (first.empty() && staging_.empty()) {
        first = text;
        return;
      }
      if (staging_.empty()) staging_.assign(first.begin(), first.end());
      staging_.insert(staging_.end(), text.begin(), text.end());
    };
    bool close = false;
    while (!received.empty() && !close) {
      std::size_t taken = 0;
      int status = 0;
      const Parsed parsed = request.feed(received, taken, status);
      received = received.subspan(taken);
      if (parsed == Parsed::complete) {
        ++statistics.requests;
        put(servers::answer(request));
        close = !request.keeps_alive();
      } else if (parsed == Parsed::proceed) {
        put(kContinue);
      } else if (parsed == Parsed::rejected) {
        ++statistics.rejected;
        put(refusal(status));
        close = true;
      }
    }
    if (staging_.empty()) return {std::as_bytes(std::span(first)), close, Owner::program};
    return {std::as_bytes(std::span(staging_)), close, Owner::protocol};
  }

 private:
  std::vector<char> staging_;  // grows to the answers of one full read and stays
};

}  // namespace servers
