#include "gateway/answer.h"

namespace gateway {
namespace {

std::string_view phrase_of(int status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Content Too Large";
    case 417: return "Expectation Failed";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";  // the phrase may be empty
  }
}

void put_head(std::string& out, Manner manner, int status, std::string_view type, std::size_t length) {
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(1, ' ').append(phrase_of(status)).append("\r\n");
  if (!type.empty()) out.append("Content-Type: ").append(type).append("\r\n");
  if (status != 204) out.append("Content-Length: ").append(std::to_string(length)).append("\r\n");
  if (status == 405) out.append("Allow: GET, HEAD\r\n");
  if (manner.closes) {
    out.append("Connection: close\r\n");
  } else if (manner.must_say_so) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

}  // namespace

void put_answer(std::string& out, Manner manner, int status, std::string_view type, std::string_view body) {
  put_head(out, manner, status, type, body.size());
  if (!manner.head_only) out.append(body);
}

void put_refusal(std::string& out, Manner manner, int status, std::string_view reason) {
  put_head(out, manner, status, kPlainText, reason.size() + 1);
  if (!manner.head_only) out.append(reason).append(1, '\n');
}

std::string_view reason_of(int status) noexcept {
  switch (status) {
    case 417: return "the only expectation met here is 100-continue";
    case 431: return "request line and header fields are longer than 16 KiB";
    case 505: return "only HTTP/1.1 and HTTP/1.0 are spoken here";
    default: return "not a well-formed request";
  }
}

}  // namespace gateway
