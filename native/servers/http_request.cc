#include "servers/http_request.h"

#include <array>
#include <cstring>
#include <string_view>

namespace servers {
namespace {

enum State : std::uint8_t {
  method, target, version, line_cr, line_lf, field_start, field_name, value_other, value_length, value_tokens,
  value_expect, head_lf, body,
};

// Character classes, one table look-up per byte.
enum Class : std::uint8_t { token = 1, visible = 2, text = 4 };
constexpr std::array<std::uint8_t, 256> kClass = [] {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    unsigned bits = 0;
    if (alphanumeric || (c < 0x7f && marks.find(static_cast<char>(c)) != marks.npos)) bits |= token;
    if (c > 0x20 && c < 0x7f) bits |= visible;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) bits |= text;
    table[c] = static_cast<std::uint8_t>(bits);
  }
  return table;
}();

constexpr bool is(std::uint8_t c, Class wanted) noexcept { return (kClass[c] & wanted) != 0; }
constexpr bool is_digit(std::uint8_t c) noexcept { return c >= '0' && c <= '9'; }
constexpr std::uint8_t lower(std::uint8_t c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c | 0x20) : c;
}

// Words with a meaning. The first letter decides which one a text may be; `other` stands for all the rest.
enum Word : std::uint8_t {
  other, host, connection, content_length, transfer_encoding, expect, close_token, keep_alive, hundred_continue, head,
  connect,
};
constexpr std::array<std::string_view, 11> kWords = {
    "", "host", "connection", "content-length", "transfer-encoding", "expect", "close", "keep-alive", "100-continue",
    "HEAD", "CONNECT",
};
constexpr std::string_view kVersion = "HTTP/1.";
constexpr std::string_view kUsualVersion = "HTTP/1.1\r\n";
constexpr unsigned kMaxLengthDigits = 15;  // stays exact in a JavaScript number

constexpr Word field_starting_with(std::uint8_t c) noexcept {
  return c == 'h' ? host : c == 'c' ? connection : c == 't' ? transfer_encoding : c == 'e' ? expect : other;
}
constexpr Word method_starting_with(std::uint8_t c) noexcept {
  return c == 'H' ? head : c == 'C' ? connect : other;
}
constexpr Word value_starting_with(std::uint8_t c) noexcept {
  return c == 'c' ? close_token : c == 'k' ? keep_alive : c == '1' ? hundred_continue : other;
}

bool is_word(const HttpRequest& r, Word word) noexcept { return r.word == word && r.matched == kWords[word].size(); }

void begin_word(HttpRequest& r, Word word) noexcept {
  r.word = word;
  r.matched = 1;
}

void extend_word(HttpRequest& r, std::uint8_t c) noexcept {
  const std::string_view known = kWords[r.word];
  if (r.matched < known.size() && static_cast<std::uint8_t>(known[r.matched]) == c) {
    ++r.matched;
  } else if (r.word == connection && r.matched == 3 && c == 't') {
    r.word = content_length;  // the two names part after "con"
    r.matched = 4;
  } else {
    r.word = other;
  }
}

void forget_word(HttpRequest& r) noexcept {
  r.word = other;
  r.matched = 0;
  r.flags &= static_cast<std::uint16_t>(~word_ended);
}

// The functions below return the status to reject with, 0 to go on.

int end_field_name(HttpRequest& r) noexcept {
  r.state = value_other;
  if (is_word(r, host)) {
    if ((r.flags & has_host) != 0) return 400;
    r.flags |= has_host;
  } else if (is_word(r, content_length)) {
    if ((r.flags & has_length) != 0) return 400;
    r.flags |= has_length;
    r.state = value_length;
  } else if (is_word(r, transfer_encoding)) {
    return 501;
  } else if (is_word(r, connection)) {
    r.state = value_tokens;
  } else if (is_word(r, expect)) {
    r.state = value_expect;
  }
  forget_word(r);
  return 0;
}

int take_length(HttpRequest& r, std::uint8_t c) noexcept {
  if (c == '\r') {
    const bool any = r.matched > 0;
    forget_word(r);
    r.state = line_lf;
    return any ? 0 : 400;
  }
  if (c == ' ' || c == '\t') {
    if (r.matched > 0) r.flags |= word_ended;
    return 0;
  }
  if (!is_digit(c) || (r.flags & word_ended) != 0 || r.matched == kMaxLengthDigits) return 400;
  r.body_left = r.body_left * 10 + (c - unsigned{'0'});
  ++r.matched;
  return 0;
}

// Connection (a list) and Expect (one word), both without regard to case.
int take_word(HttpRequest& r, std::uint8_t c) noexcept {
  if (c == '\r' || (c == ',' && r.state == value_tokens)) {
    if (r.state == value_expect) {
      if (!is_word(r, hundred_continue)) return 417;
      r.flags |= expects_continue;
    } else if (is_word(r, close_token)) {
      r.flags |= wants_close;
    } else if (is_word(r, keep_alive)) {
      r.flags |= wants_keep_alive;
    }
    forget_word(r);
    if (c == '\r') r.state = line_lf;
  } else if (c == ' ' || c == '\t') {
    if (r.matched > 0) r.flags |= word_ended;
  } else if (!is(c, text)) {
    return 400;
  } else if ((r.flags & word_ended) != 0) {
    r.word = other;
  } else if (r.matched == 0) {
    begin_word(r, value_starting_with(lower(c)));
  } else {
    extend_word(r, lower(c));
  }
  return 0;
}

int take_version(HttpRequest& r, std::uint8_t c) noexcept {
  if (r.matched == kVersion.size()) {
    if (!is_digit(c)) return 400;
    if (c == '0') r.flags |= version_1_0;
    r.state = line_cr;
  } else if (static_cast<std::uint8_t>(kVersion[r.matched]) == c) {
    ++r.matched;
  } else {
    return r.matched == kVersion.find('1') && is_digit(c) ? 505 : 400;
  }
  return 0;
}

int take_head_byte(HttpRequest& r, std::uint8_t c) noexcept {
  switch (r.state) {
    case method:
      if (is(c, token)) {
        if (r.matched == 0) begin_word(r, method_starting_with(c));
        else extend_word(r, c);
        return 0;
      }
      if (c != ' ' || r.matched == 0) return 400;
      if (is_word(r, connect)) return 501;  // nothing here is a proxy, and a 200 would promise a tunnel
      if (is_word(r, head)) r.flags |= head_method;
      forget_word(r);
      r.state = target;
      return 0;
    case target:
      if (is(c, visible)) {
        r.matched = 1;
        return 0;
      }
      if (c != ' ' || r.matched == 0) return 400;
      r.matched = 0;
      r.state = version;
      return 0;
    case version: return take_version(r, c);
    case line_cr: r.state = line_lf; return c == '\r' ? 0 : 400;
    case line_lf: r.state = field_start; return c == '\n' ? 0 : 400;
    case field_start:
      r.state = c == '\r' ? head_lf : field_name;
      if (c != '\r') begin_word(r, field_starting_with(lower(c)));
      return c == '\r' || is(c, token) ? 0 : 400;
    case field_name:
      if (c == ':') return end_field_name(r);
      extend_word(r, lower(c));
      return is(c, token) ? 0 : 400;
    case value_other:
      if (c == '\r') r.state = line_lf;
      return c == '\r' || is(c, text) ? 0 : 400;
    case value_length: return take_length(r, c);
    case value_tokens:
    case value_expect: return take_word(r, c);
    default:  // head_lf
      r.state = body;
      return c == '\n' && (r.flags & (has_host | version_1_0)) != 0 ? 0 : 400;
  }
}

const std::uint8_t* skip_version(HttpRequest& r, const std::uint8_t* p, const std::uint8_t* end) noexcept {
  const std::size_t size = kUsualVersion.size();
  if (static_cast<std::size_t>(end - p) < size || std::memcmp(p, kUsualVersion.data(), size) != 0) return p;
  r.state = field_start;
  return p + size;
}

// Takes runs of bytes that change nothing, and the usual end of a request line, without a call for each byte.
const std::uint8_t* skip_run(HttpRequest& r, const std::uint8_t* p, const std::uint8_t* end) noexcept {
  Class wanted{};
  switch (r.state) {
    case value_other:
      wanted = text;
      break;
    case target:
      if (r.matched == 0) return p;
      wanted = visible;
      break;
    case field_name:
    case method:
      if (r.word != other || r.matched == 0) return p;
      wanted = token;
      break;
    case version:
      return r.matched == 0 ? skip_version(r, p, end) : p;
    default:
      return p;
  }
  while (p < end && is(*p, wanted)) ++p;
  return p;
}

}  // namespace

Parsed HttpRequest::feed(std::span<const std::byte> bytes, std::size_t& taken, int& status,
                         std::size_t most_head) noexcept {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const std::uint8_t* const end = begin + bytes.size();
  const std::uint8_t* p = begin;
  if (state != body) {
    if (head_bytes == 0) *this = HttpRequest{};
    const std::size_t room = most_head - head_bytes;
    const std::uint8_t* const limit = bytes.size() > room ? begin + room : end;
    while (state != body && (p = skip_run(*this, p, limit)) < limit) {
      if ((status = take_head_byte(*this, *p++)) != 0) {
        taken = static_cast<std::size_t>(p - begin);
        return Parsed::rejected;
      }
    }
    head_bytes = static_cast<std::uint16_t>(head_bytes + (p - begin));
    taken = bytes.size();
    if (state != body) {
      if (limit == end) return Parsed::need_more;
      taken = static_cast<std::size_t>(p - begin);
      status = 431;
      return Parsed::rejected;
    }
    if ((flags & expects_continue) != 0 && (flags & version_1_0) == 0 && body_left > 0) {
      taken = static_cast<std::size_t>(p - begin);
      return Parsed::proceed;
    }
  }
  const auto available = static_cast<std::uint64_t>(end - p);
  const std::uint64_t eaten = available < body_left ? available : body_left;
  body_left -= eaten;
  taken = static_cast<std::size_t>(p - begin) + static_cast<std::size_t>(eaten);
  if (body_left > 0) return Parsed::need_more;
  state = method;
  head_bytes = 0;
  return Parsed::complete;
}

}  // namespace servers
