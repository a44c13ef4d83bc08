#include "completion/tuning.h"

#include <bit>
#include <string_view>

#include "process/arguments.h"

namespace completion {
namespace {

struct Word {
  std::string_view name;
  bool Tuning::*flag = nullptr;             ///< of a word by itself
  bool sets = true;
  std::uint32_t Tuning::*number = nullptr;  ///< of name=number
  std::uint32_t low = 0, high = 0;
};

constexpr Word kWords[] = {
    {.name = "no-register", .flag = &Tuning::registered, .sets = false},
    {.name = "direct", .flag = &Tuning::direct},
    {.name = "incremental", .flag = &Tuning::incremental},
    {.name = "bundle", .flag = &Tuning::bundle},
    {.name = "sqpoll", .flag = &Tuning::polling_thread},
    {.name = "buffers", .number = &Tuning::buffers, .low = 1, .high = 32768},
    {.name = "bytes", .number = &Tuning::bytes, .low = 64, .high = 1 << 20},
    {.name = "batch", .number = &Tuning::batch, .low = 1, .high = 4096},
    {.name = "zerocopy", .number = &Tuning::zero_copy, .low = 1, .high = 1 << 30},
    {.name = "napi", .number = &Tuning::napi_us, .low = 1, .high = 1'000'000},
    {.name = "wait", .number = &Tuning::wait_us, .low = 1, .high = 1'000'000},
};

std::string unknown(std::string_view word) {
  std::string names;
  for (const Word& known : kWords) {
    names += (names.empty() ? "" : ", ") + std::string(known.name) + (known.number != nullptr ? "=N" : "");
  }
  return "--engine-options has no '" + std::string(word) + "': it takes " + names;
}

std::string read_word(std::string_view word, Tuning& tuning) {
  const std::size_t equals = word.find('=');
  for (const Word& known : kWords) {
    if (known.name != word.substr(0, equals)) continue;
    if (known.flag != nullptr) {
      if (equals != word.npos) break;
      tuning.*known.flag = known.sets;
      return "";
    }
    std::uint64_t number = 0;
    const std::string value(equals == word.npos ? "" : word.substr(equals + 1));
    if (!process::read_number(value, known.low, known.high, number)) {
      return "--engine-options: " + std::string(known.name) + " must be a number from " + std::to_string(known.low) +
             " to " + std::to_string(known.high) + ", not '" + value + "'";
    }
    tuning.*known.number = static_cast<std::uint32_t>(number);
    return "";
  }
  return unknown(word);
}

}  // namespace

std::string read_tuning(const std::string& text, Tuning& tuning) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find(',', at);
    const std::string_view word = std::string_view(text).substr(at, end == text.npos ? text.npos : end - at);
    if (std::string fault = read_word(word, tuning); !fault.empty()) return fault;
    at = end == text.npos ? text.size() : end + 1;
  }
  if (!std::has_single_bit(tuning.buffers)) return "--engine-options: buffers must be a power of two";
  if (tuning.batch > 1 && tuning.wait_us == 0) {
    return "--engine-options: batch needs wait: a lone completion would never be served";
  }
  return "";
}

std::string unfit(const Tuning& tuning, const std::string& protocol, bool native) {
  if (tuning.zero_copy > 0 && (!native || protocol == "http")) {
    return "engine 'uring' sends without copying what lies in its buffers, as replies of native echo servers do and no others";
  }
  if (protocol != "udp-echo") return "";
  if (tuning.incremental) return "engine 'uring' cannot fill buffers incrementally with datagrams: each has one of its own";
  if (tuning.bundle) return "engine 'uring' cannot receive datagrams in bundles: each has a buffer of its own";
  return "";
}

}  // namespace completion
