#include "load/http_reply.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace load {
namespace {

bool equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trim(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The whole text as an unsigned number.
bool number(std::string_view text, int base, std::uint64_t& out) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size();
}

/// True when a comma-separated header value holds the word.
bool lists(std::string_view value, std::string_view word) noexcept {
  while (!value.empty()) {
    const auto comma = value.find(',');
    if (equal(trim(value.substr(0, comma)), word)) return true;
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
  }
  return false;
}

}  // namespace

HttpReply::Progress HttpReply::feed(Bytes bytes, std::size_t& used) noexcept {
  used = 0;
  while (used < bytes.size() && !done_) {
    if (part_ == Part::body || part_ == Part::chunk || part_ == Part::until_close) {
      const std::uint64_t left = bytes.size() - used;
      const auto take = part_ == Part::until_close ? left : std::min<std::uint64_t>(left, remaining_);
      take_body(bytes.subspan(used, take));
      used += take;
      if (part_ == Part::until_close) continue;
      remaining_ -= take;
      if (remaining_ == 0 && part_ == Part::body) done_ = true;
      if (remaining_ == 0 && part_ == Part::chunk) part_ = Part::chunk_end;
      continue;
    }
    const char c = static_cast<char>(bytes[used++]);
    if (++header_bytes_ > kMostHeader && part_ != Part::chunk_size && part_ != Part::chunk_end) return Progress::invalid;
    if (c != '\n') {
      if (line_size_ < kLine) line_[line_size_] = c;
      ++line_size_;
      continue;
    }
    if (!take_line()) return Progress::invalid;
    line_size_ = 0;
  }
  return done_ ? Progress::done : Progress::more;
}

HttpReply::Progress HttpReply::finish() noexcept {
  return part_ == Part::until_close ? Progress::done : Progress::invalid;
}

bool HttpReply::take_line() noexcept {
  if (line_size_ <= kLine && line_size_ > 0 && line_[line_size_ - 1] == '\r') --line_size_;
  const bool empty = line_size_ == 0;
  switch (part_) {
    case Part::status: return take_status();
    case Part::headers: return empty ? end_headers() : take_header();
    case Part::chunk_size: return take_chunk_size();
    case Part::chunk_end: part_ = Part::chunk_size; return empty;
    default: done_ = empty; return true;  // trailers
  }
}

bool HttpReply::take_status() noexcept {
  const std::string_view line(line_, std::min<std::size_t>(line_size_, kLine));
  std::uint64_t status = 0;
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || (line[7] != '0' && line[7] != '1') || line[8] != ' ' ||
      !number(line.substr(9, 3), 10, status) || status < 100 || (line.size() > 12 && line[12] != ' ')) {
    return false;
  }
  status_ = static_cast<int>(status);
  last_ = line[7] == '0';
  part_ = Part::headers;
  return true;
}

bool HttpReply::take_header() noexcept {
  const std::string_view line(line_, std::min<std::size_t>(line_size_, kLine));
  const auto colon = line.find(':');
  if (colon == 0) return false;
  if (colon == std::string_view::npos) return line_size_ > kLine;  // its name alone may be longer than we keep
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (equal(name, "content-length")) {
    std::uint64_t length = 0;
    if (!number(value, 10, length) || (sized_ && length != remaining_)) return false;
    remaining_ = length;
    sized_ = true;
  } else if (equal(name, "transfer-encoding")) {
    chunked_ = lists(value, "chunked");
  } else if (kept_ != nullptr && line_size_ <= kLine && equal(name, "content-type")) {
    kept_->content_type = value;
  } else if (equal(name, "connection")) {
    if (lists(value, "close")) last_ = true;
    if (lists(value, "keep-alive")) last_ = false;
  }
  return true;
}

bool HttpReply::end_headers() noexcept {
  if (status_ < 200) {  // interim reply (100 Continue): the real one follows
    if (kept_ != nullptr) kept_->content_type.clear();
    reset();
    return true;
  }
  if (status_ == 204 || status_ == 304) {
    done_ = true;
  } else if (chunked_) {
    part_ = Part::chunk_size;
  } else if (sized_) {
    part_ = Part::body;
    done_ = remaining_ == 0;
  } else {
    part_ = Part::until_close;
    last_ = true;
  }
  return true;
}

bool HttpReply::take_chunk_size() noexcept {
  std::string_view line(line_, std::min<std::size_t>(line_size_, kLine));
  line = trim(line.substr(0, line.find(';')));
  if (!number(line, 16, remaining_)) return false;
  part_ = remaining_ == 0 ? Part::trailers : Part::chunk;
  return true;
}

void HttpReply::take_body(Bytes bytes) noexcept {
  body_size_ += bytes.size();
  if (kept_ != nullptr) kept_->body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const std::byte b : bytes) digest_ = (digest_ ^ static_cast<std::uint64_t>(b)) * 0x100000001b3u;
}

}  // namespace load
