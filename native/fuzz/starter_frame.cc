// libFuzzer: frames that a runner sends to the native starter. Anything can be read; what was read and is written again is
// read as the same.
#include <cstdlib>
#include <string_view>

#include "bare/frame.h"
#include "process/json_line.h"

namespace {

std::string written(const bare::Frame& frame) {
  return process::JsonLine()
      .string("type", frame.type)
      .number("id", frame.id)
      .string("command", frame.command)
      .strings("args", frame.args)
      .string("text", frame.text)
      .number("graceMs", frame.grace_ms)
      .text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto frame = bare::read_frame(line);
  if (!frame) return 0;
  const std::string again = written(*frame);
  const auto read = bare::read_frame(again);
  if (!read || written(*read) != again) std::abort();
  return 0;
}
