// Memory that is moved: pages of this process, or of a file that other processes may have mapped as well.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace migrate {

class Memory {
 public:
  Memory() = default;
  Memory(Memory&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Memory& operator=(Memory&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Memory();

  /// Zeros of this process alone. One sentence on what failed.
  static std::string make(std::size_t size, Memory& memory);
  /// A file as it is, to be read: what others write to it is seen. It must consist of whole pages.
  static std::string read(const std::string& path, Memory& memory);
  /// A new file of zeros, which is overwritten where there is one.
  static std::string create(const std::string& path, std::size_t size, Memory& memory);
  /// A file as it is where there is one of that size, which `found` tells; a new one otherwise.
  static std::string keep(const std::string& path, std::size_t size, Memory& memory, bool& found);

  std::span<std::byte> bytes() noexcept { return {at_, size_}; }
  std::span<const std::byte> bytes() const noexcept { return {at_, size_}; }

 private:
  static std::string map(int fd, std::size_t size, bool writable, Memory& memory);

  std::byte* at_ = nullptr;
  std::size_t size_ = 0;
};

/// Copies what others may be writing at the same time, by whole words: both must be aligned to 8 bytes and a multiple of them.
void copy_live(std::span<std::byte> to, std::span<const std::byte> from) noexcept;

}  // namespace migrate
