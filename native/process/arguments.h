// Reads a program's command line from a table of its options, so that every program refuses in the same words.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace process {

/// The whole of `text` as a number between `low` and `high`, both included. False leaves `out` undefined.
bool read_number(std::string_view text, std::uint64_t low, std::uint64_t high, std::uint64_t& out);

/// A list of CPU numbers like "0,1"; false when it is none.
bool read_cpus(std::string_view text, std::vector<int>& cpus);

class Arguments {
 public:
  /// An option without a value.
  void flag(std::string_view name, bool& on);
  template <std::integral Number>
  void number(std::string_view name, std::uint64_t low, std::uint64_t high, Number& value) {
    range(name, low, high, [&value](std::uint64_t read) { value = static_cast<Number>(read); });
  }
  void text(std::string_view name, std::string& value);
  /// One of a few words; `chosen` becomes its place in `words`.
  void choice(std::string_view name, std::vector<std::string_view> words, std::size_t& chosen);
  void cpus(std::string_view name, std::vector<int>& value);

  /// One sentence on the first argument that cannot be used, empty when there is none. A program that takes a command
  /// after `--` gives `rest`; to others `--` is an unknown option.
  std::string read(std::span<char* const> arguments, std::span<char* const>* rest = nullptr) const;

 private:
  struct Option {
    std::string_view name;
    bool valued;
    std::function<std::string(const std::string& value)> take;  // a sentence, empty when the value was taken
  };
  void range(std::string_view name, std::uint64_t low, std::uint64_t high, std::function<void(std::uint64_t)> take);
  const Option* find(std::string_view name) const noexcept;

  std::vector<Option> options_;
};

}  // namespace process
