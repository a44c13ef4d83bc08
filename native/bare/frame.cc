#include "bare/frame.h"

namespace bare {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | (code >> 6));
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3f));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

/// Reads from the front of a text; false everywhere means that the text is not what was asked for.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  bool take(char c) {
    skip_space();
    if (left_.empty() || left_.front() != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  bool next_is(char c) {
    skip_space();
    return !left_.empty() && left_.front() == c;
  }
  bool at_end() {
    skip_space();
    return left_.empty();
  }

  bool string(std::string& out) {
    if (!take('"')) return false;
    out.clear();
    while (!left_.empty()) {
      const char c = left_.front();
      left_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
      } else if (!escape(out)) {
        return false;
      }
    }
    return false;
  }

  bool number(std::int64_t& out) {
    skip_space();
    constexpr std::size_t kDigits = 15;
    std::size_t digits = 0;
    out = 0;
    while (digits < left_.size() && left_[digits] >= '0' && left_[digits] <= '9') {
      if (digits == kDigits) return false;
      out = out * 10 + (left_[digits++] - '0');
    }
    left_.remove_prefix(digits);
    return digits > 0;
  }

  bool strings(std::vector<std::string>& out) {
    if (!take('[')) return false;
    out.clear();
    if (take(']')) return true;
    do {
      if (!string(out.emplace_back())) return false;
    } while (take(','));
    return take(']');
  }

 private:
  void skip_space() {
    const std::size_t at = left_.find_first_not_of(" \t\r\n");
    left_.remove_prefix(at == std::string_view::npos ? left_.size() : at);
  }

  bool hex(std::uint32_t& code) {
    if (left_.size() < 4) return false;
    code = 0;
    for (const char c : left_.substr(0, 4)) {
      const char lower = static_cast<char>(c | 0x20);
      const bool digit = c >= '0' && c <= '9';
      if (!digit && (lower < 'a' || lower > 'f')) return false;
      code = code * 16 + static_cast<std::uint32_t>(digit ? c - '0' : lower - 'a' + 10);
    }
    left_.remove_prefix(4);
    return true;
  }

  bool escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (left_.empty()) return false;
    const char c = left_.front();
    left_.remove_prefix(1);
    if (const std::size_t at = kNames.find(c); at != std::string_view::npos) {
      out += kMeant[at];
      return true;
    }
    std::uint32_t code = 0;
    if (c != 'u' || !hex(code)) return false;
    if (code >= 0xd800 && code < 0xdc00 && left_.starts_with("\\u")) {
      left_.remove_prefix(2);
      std::uint32_t low = 0;
      if (!hex(low) || low < 0xdc00 || low > 0xdfff) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
    return true;
  }

  std::string_view left_;
};

bool member(Reader& reader, Frame& frame) {
  std::string name;
  if (!reader.string(name) || !reader.take(':')) return false;
  if (name == "type") return reader.string(frame.type);
  if (name == "command") return reader.string(frame.command);
  if (name == "text") return reader.string(frame.text);
  if (name == "args") return reader.strings(frame.args);
  if (name == "id") return reader.number(frame.id);
  if (name == "graceMs") return reader.number(frame.grace_ms);
  // What a later version adds, in the shapes of this one.
  std::string text;
  std::vector<std::string> texts;
  std::int64_t number = 0;
  if (reader.next_is('"')) return reader.string(text);
  return reader.next_is('[') ? reader.strings(texts) : reader.number(number);
}

}  // namespace

std::optional<Frame> read_frame(std::string_view line) {
  Reader reader(line);
  Frame frame;
  if (!reader.take('{')) return std::nullopt;
  if (!reader.take('}')) {
    do {
      if (!member(reader, frame)) return std::nullopt;
    } while (reader.take(','));
    if (!reader.take('}')) return std::nullopt;
  }
  if (!reader.at_end() || frame.type.empty()) return std::nullopt;
  return frame;
}

}  // namespace bare
