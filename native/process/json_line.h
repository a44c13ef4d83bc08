// Writes one JSON object on one line. Enough for the contracts' lines; keys are trusted, values are escaped.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>

namespace process {

class JsonLine {
 public:
  JsonLine& string(std::string_view key, std::string_view value);
  JsonLine& number(std::string_view key, std::integral auto value) { return raw(key, std::to_string(value)); }
  JsonLine& boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  JsonLine& null(std::string_view key) { return raw(key, "null"); }
  JsonLine& numbers(std::string_view key, const auto& values) {
    std::string list;
    for (const auto value : values) list += (list.empty() ? "" : ",") + std::to_string(value);
    return raw(key, "[" + list + "]");
  }
  JsonLine& strings(std::string_view key, std::span<const std::string> values);
  /// Whatever it is.
  JsonLine& value(std::string_view key, std::string_view text) { return string(key, text); }
  JsonLine& value(std::string_view key, const char* text) { return string(key, text); }
  JsonLine& value(std::string_view key, bool yes) { return boolean(key, yes); }
  JsonLine& value(std::string_view key, std::integral auto count) { return number(key, count); }
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
  void quote(std::string_view value);
  std::string text_{"{"};
};

/// Writes a line to stdout, whole, however slowly it is read.
void print_line(std::string text);

}  // namespace process
