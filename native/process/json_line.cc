#include "process/json_line.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace process {

JsonLine& JsonLine::string(std::string_view key, std::string_view value) {
  name(key);
  quote(value);
  return *this;
}

JsonLine& JsonLine::strings(std::string_view key, std::span<const std::string> values) {
  name(key);
  text_ += '[';
  for (const std::string& value : values) {
    if (&value != values.data()) text_ += ',';
    quote(value);
  }
  text_ += ']';
  return *this;
}

void JsonLine::quote(std::string_view value) {
  text_ += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      text_ += escaped;
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

void print_line(std::string text) {
  text += '\n';
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t n = write(STDOUT_FILENO, left.data(), left.size());
    if (n >= 0) {
      left.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd one{STDOUT_FILENO, POLLOUT, 0};
      poll(&one, 1, -1);
    } else if (errno != EINTR) {
      return;  // nobody reads any more; the control channel ends the program
    }
  }
}

}  // namespace process
