#include "links/options.h"

#include <iterator>
#include <sstream>

#include "process/arguments.h"

namespace links {
namespace {

constexpr std::uint64_t kMostDelay = 10 * process::kSecond;
constexpr std::uint64_t kMostPackets = 1'000'000;
constexpr std::uint64_t kMostBits = 1'000'000'000'000;

struct Names {
  const char* delay;
  const char* loss;
  const char* rate;
  const char* limit;
};

void shape(process::Arguments& known, const Names& names, Shape& shape) {
  known.number(names.delay, 0, kMostDelay, shape.delay);
  known.number(names.loss, 0, 1'000'000'000, shape.loss_ppb);
  known.number(names.rate, 0, kMostBits, shape.bits_per_second);
  known.number(names.limit, 1, kMostPackets, shape.limit);
}

void shapes(process::Arguments& known, Shape& up, Shape& down) {
  shape(known, {"--up-delay", "--up-loss", "--up-rate", "--up-limit"}, up);
  shape(known, {"--down-delay", "--down-loss", "--down-rate", "--down-limit"}, down);
}

}  // namespace

std::string parse_options(std::span<char* const> arguments, Options& options) {
  process::Arguments known;
  known.text("--client-space", options.client.space);
  known.text("--client-device", options.client.device);
  known.text("--server-space", options.server.space);
  known.text("--server-device", options.server.device);
  shapes(known, options.up, options.down);
  known.number("--seed", 0, UINT64_MAX, options.seed);
  known.cpus("--cpu", options.cpus);
  if (std::string fault = known.read(arguments); !fault.empty()) return fault;
  for (const End* end : {&options.client, &options.server}) {
    if (end->space.empty() || end->device.empty()) {
      return "both ends are needed: --client-space, --client-device, --server-space and --server-device";
    }
  }
  return "";
}

std::string parse_shapes(std::string_view words, Shape& up, Shape& down) {
  std::istringstream text{std::string(words)};
  std::vector<std::string> read{std::istream_iterator<std::string>(text), {}};
  std::vector<char*> arguments;
  for (std::string& word : read) arguments.push_back(word.data());
  process::Arguments known;
  shapes(known, up, down);
  return known.read(arguments);
}

}  // namespace links
