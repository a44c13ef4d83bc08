// Writes one JSON object on one line. Enough for the server and load contracts; keys are trusted, values are escaped.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace net {

class JsonLine {
 public:
  JsonLine() { text_ = "{"; }

  JsonLine& string(std::string_view key, std::string_view value) {
    name(key);
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
    return *this;
  }
  JsonLine& number(std::string_view key, std::integral auto value) { return raw(key, std::to_string(value)); }
  JsonLine& boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  JsonLine& null(std::string_view key) { return raw(key, "null"); }
  JsonLine& numbers(std::string_view key, const auto& values) {
    std::string list;
    for (const auto value : values) list += (list.empty() ? "" : ",") + std::to_string(value);
    return raw(key, "[" + list + "]");
  }
  /// Text that is JSON already.
  JsonLine& raw(std::string_view key, std::string_view json) {
    name(key);
    text_ += json;
    return *this;
  }
  JsonLine& object(std::string_view key, const JsonLine& value) { return raw(key, value.text()); }

  std::string text() const { return text_ + "}"; }

 private:
  void name(std::string_view key) {
    if (text_.size() > 1) text_ += ',';
    text_.append(1, '"').append(key).append("\":");
  }
  std::string text_;
};

}  // namespace net
