#include "process/arguments.h"

#include <charconv>
#include <utility>

namespace process {

bool read_number(std::string_view text, std::uint64_t low, std::uint64_t high, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out >= low && out <= high;
}

bool read_cpus(std::string_view text, std::vector<int>& cpus) {
  while (true) {
    const std::size_t comma = text.find(',');
    std::uint64_t cpu = 0;
    if (!read_number(text.substr(0, comma), 0, 1023, cpu)) return false;
    cpus.push_back(static_cast<int>(cpu));
    if (comma == text.npos) return true;
    text.remove_prefix(comma + 1);
  }
}

void Arguments::flag(std::string_view name, bool& on) {
  options_.push_back({name, false, [&on](const std::string&) {
                        on = true;
                        return std::string();
                      }});
}

void Arguments::text(std::string_view name, std::string& value) {
  options_.push_back({name, true, [&value](const std::string& given) {
                        value = given;
                        return std::string();
                      }});
}

void Arguments::choice(std::string_view name, std::vector<std::string_view> words, std::size_t& chosen) {
  options_.push_back({name, true, [name, words = std::move(words), &chosen](const std::string& given) {
                        std::string known;
                        for (std::size_t i = 0; i < words.size(); ++i) {
                          if (words[i] == given) {
                            chosen = i;
                            return std::string();
                          }
                          known.append(i == 0 ? "" : i + 1 == words.size() ? " or " : ", ").append(words[i]);
                        }
                        return std::string(name) + " must be " + known + ", not '" + given + "'";
                      }});
}

void Arguments::cpus(std::string_view name, std::vector<int>& value) {
  options_.push_back({name, true, [name, &value](const std::string& given) {
                        if (read_cpus(given, value)) return std::string();
                        return std::string(name) + " must be a list of CPU numbers like 0,1, not '" + given + "'";
                      }});
}

void Arguments::range(std::string_view name, std::uint64_t low, std::uint64_t high,
                      std::function<void(std::uint64_t)> take) {
  options_.push_back({name, true, [name, low, high, take = std::move(take)](const std::string& given) {
                        std::uint64_t value = 0;
                        if (!read_number(given, low, high, value)) {
                          return std::string(name) + " must be a number from " + std::to_string(low) + " to " +
                                 std::to_string(high) + ", not '" + given + "'";
                        }
                        take(value);
                        return std::string();
                      }});
}

const Arguments::Option* Arguments::find(std::string_view name) const noexcept {
  for (const Option& option : options_) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

std::string Arguments::read(std::span<char* const> arguments, std::span<char* const>* rest) const {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string name = arguments[i];
    if (rest != nullptr && name == "--") {
      *rest = arguments.subspan(i + 1);
      return "";
    }
    const Option* option = find(name);
    if (option == nullptr) return "unknown option " + name;
    if (option->valued && i + 1 == arguments.size()) return "option " + name + " lacks its value";
    const std::string fault = option->take(option->valued ? arguments[++i] : "");
    if (!fault.empty()) return fault;
  }
  return "";
}

}  // namespace process
