#include "cost/pairs.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>

#include "net/socket.h"
#include "process/usage.h"

namespace cost {
namespace {

/// Descriptors for everything else: standard streams, signals, the mechanism's own.
constexpr std::uint64_t kReserve = 16;

}  // namespace

Pairs::~Pairs() {
  for (std::uint32_t pair = 0; pair < size(); ++pair) close(pair);
}

std::string Pairs::open(std::uint32_t count, std::uint32_t stride, std::uint64_t further) {
  process::raise_descriptor_limit();
  const process::DescriptorLimit limit = process::descriptor_limit();
  const std::uint64_t spread = stride > 1 ? std::uint64_t{count} * stride + count : 2 * std::uint64_t{count};
  const std::uint64_t needed = spread + further + kReserve;
  if (needed > limit.soft) {
    return std::to_string(count) + " pairs need " + std::to_string(needed) + " descriptors and this process may have " +
           std::to_string(limit.soft) + " (RLIMIT_NOFILE): ask for fewer --pairs, or raise the hard limit, as with " +
           "'prlimit --nofile=" + std::to_string(needed) + "' or in limits.conf(5)";
  }
  pairs_.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
      return "pair " + std::to_string(i + 1) + " of " + std::to_string(count) +
             " cannot be opened: " + std::strerror(errno);
    }
    if (stride > 1) {
      const int spread_out = fcntl(ends[0], F_DUPFD, static_cast<int>(kReserve + std::uint64_t{i} * stride));
      ::close(ends[0]);
      ends[0] = spread_out;
    }
    for (const int end : ends) {
      fcntl(end, F_SETFL, O_NONBLOCK);
      fcntl(end, F_SETFD, FD_CLOEXEC);
    }
    pairs_.push_back({ends[0], ends[1]});
  }
  return "";
}

void Pairs::close(std::uint32_t pair) noexcept {
  Pair& ends = pairs_[pair];
  if (ends.reader < 0) return;
  ::close(ends.reader);
  ::close(ends.writer);
  ends = {-1, -1};
}

bool Pairs::write(std::uint32_t pair) const noexcept {
  static constexpr std::array<std::byte, 1> kByte{};
  return net::transmit(pairs_[pair].writer, kByte) == 1;
}

bool Pairs::read(std::uint32_t pair) const noexcept {
  std::array<std::byte, 1> byte;
  return net::receive(pairs_[pair].reader, byte) == 1;
}

}  // namespace cost
