// What the gateway does for a request, decided by its request line alone.
#pragma once

#include <cstdint>
#include <string_view>

namespace gateway {

enum class Work : std::uint8_t {
  hello,    ///< GET /
  compute,  ///< GET /compute?iters=N: a chain of N digests
  state,    ///< GET /state: a counter
  health,   ///< GET /health
  forward,  ///< any other path: the upstream answers
  refuse,
};

struct Route {
  Work work = Work::refuse;
  std::uint64_t iterations = 0;  ///< of compute
  int status = 0;                ///< of refuse
  const char* reason = "";       ///< of refuse: one line for a person
};

/// `line`: "GET /path HTTP/1.1", as a strict parser let it through.
Route route(std::string_view line, std::uint64_t max_iterations) noexcept;

/// "GET" and "/path" of a request line, empty as far as it does not go.
std::string_view method_of(std::string_view line) noexcept;
std::string_view target_of(std::string_view line) noexcept;

}  // namespace gateway
