// The socket pairs that a measurement dispatches on: one end is watched, a byte written to the other makes it ready.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cost {

class Pairs {
 public:
  Pairs() = default;
  ~Pairs();
  Pairs(const Pairs&) = delete;
  Pairs& operator=(const Pairs&) = delete;

  /// Opens non-blocking AF_UNIX stream pairs. From one watched descriptor to the next there are at least `stride` numbers.
  /// `further`: descriptors that the caller opens later. One sentence on what limit is in the way, empty when they stand.
  std::string open(std::uint32_t count, std::uint32_t stride = 1, std::uint64_t further = 0);

  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(pairs_.size()); }
  /// The descriptor to watch.
  int reader(std::uint32_t pair) const noexcept { return pairs_[pair].reader; }
  /// Closes both ends: two system calls.
  void close(std::uint32_t pair) noexcept;
  /// Writes one byte: one system call. False when the kernel did not take it.
  bool write(std::uint32_t pair) const noexcept;
  /// Reads one byte: one system call. False when there was none.
  bool read(std::uint32_t pair) const noexcept;

 private:
  struct Pair {
    int reader;
    int writer;
  };
  std::vector<Pair> pairs_;
};

}  // namespace cost
