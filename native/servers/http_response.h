// Every answer the HTTP servers give, byte for byte the same in every implementation (servers/http-response.ts).
#pragma once

#include <string_view>

#include "servers/http_request.h"

namespace servers {

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

#define DISPATCHBENCH_OK(connection) \
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n" connection "\r\n"
#define DISPATCHBENCH_BODY "dispatchbench\n"

/// The answer to a request just completed: the same small text for every method and target.
inline std::string_view answer(const HttpRequest& request) noexcept {
  static constexpr std::string_view with_body[] = {
      DISPATCHBENCH_OK("") DISPATCHBENCH_BODY,
      DISPATCHBENCH_OK("Connection: keep-alive\r\n") DISPATCHBENCH_BODY,
      DISPATCHBENCH_OK("Connection: close\r\n") DISPATCHBENCH_BODY,
  };
  static constexpr std::string_view head_only[] = {
      DISPATCHBENCH_OK(""),
      DISPATCHBENCH_OK("Connection: keep-alive\r\n"),
      DISPATCHBENCH_OK("Connection: close\r\n"),
  };
  // HTTP/1.1 keeps connections without saying so; HTTP/1.0 has to be told.
  const int kind = !request.keeps_alive() ? 2 : (request.flags & version_1_0) != 0 ? 1 : 0;
  return (request.flags & head_method) != 0 ? head_only[kind] : with_body[kind];
}
#undef DISPATCHBENCH_OK
#undef DISPATCHBENCH_BODY

/// The answer to a request that the parser rejected with `status`; the connection closes after it.
inline std::string_view refusal(int status) noexcept {
#define DISPATCHBENCH_REFUSAL(line) "HTTP/1.1 " line "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
  switch (status) {
    case 417: return DISPATCHBENCH_REFUSAL("417 Expectation Failed");
    case 431: return DISPATCHBENCH_REFUSAL("431 Request Header Fields Too Large");
    case 501: return DISPATCHBENCH_REFUSAL("501 Not Implemented");
    case 505: return DISPATCHBENCH_REFUSAL("505 HTTP Version Not Supported");
    default: return DISPATCHBENCH_REFUSAL("400 Bad Request");
  }
#undef DISPATCHBENCH_REFUSAL
}

}  // namespace servers
