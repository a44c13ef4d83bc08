// What a runner asks of the starter (src/contract/starter.ts): one JSON object a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bare {

/// A line longer than this is no frame: nobody of ours sends one.
inline constexpr std::size_t kMaxFrame = 4 << 20;

/// Members that its type does not have are empty or 0.
struct Frame {
  std::string type;
  std::int64_t id = 0;
  std::string command;
  std::vector<std::string> args;
  std::string text;
  std::int64_t grace_ms = 0;
};

/// Nothing when the line is no object of texts, whole numbers and lists of texts, or lacks its type.
std::optional<Frame> read_frame(std::string_view line);

}  // namespace bare
