// The replies of the gateway as bytes.
#pragma once

#include <string>
#include <string_view>

namespace gateway {

/// What a reply to one request has to look like beside its content.
struct Manner {
  bool head_only = false;  ///< HEAD: the length of the body, and no body
  bool closes = false;     ///< the connection ends after it
  bool must_say_so = false;  ///< HTTP/1.0: a connection that stays is announced
};

inline constexpr std::string_view kPlainText = "text/plain";

/// Appends a reply to `out`. `type` and `body` as they are.
void put_answer(std::string& out, Manner manner, int status, std::string_view type, std::string_view body);

/// Appends the refusal of a request, with one line on the reason as its body.
void put_refusal(std::string& out, Manner manner, int status, std::string_view reason);

/// What to say of a request that servers::HttpRequest rejected with `status`.
std::string_view reason_of(int status) noexcept;

}  // namespace gateway
