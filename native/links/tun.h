// A network device of a namespace whose packets this process reads and writes.
#pragma once

#ifdef __linux__
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <sys/types.h>

namespace links {

/// Bytes of the largest packet, the usual MTU: what veth pairs have.
inline constexpr std::size_t kLargest = 1500;

class Tun {
 public:
  Tun() = default;
  ~Tun();
  Tun(const Tun&) = delete;
  Tun& operator=(const Tun&) = delete;

  /// Makes the device in the namespace of the file `space`; it is gone when this object, or its process, is. The calling
  /// thread is in that namespace afterwards. One sentence on what failed.
  std::string open(const std::string& space, const std::string& device);

  int descriptor() const noexcept { return device_; }

  /// The next packet that the namespace sends, or -1 with errno (EAGAIN: there is none).
  ssize_t read(std::span<std::byte> packet) noexcept;
  /// Gives a packet to the namespace. False: it was not taken.
  bool write(std::span<const std::byte> packet) noexcept;

  /// Packets that the namespace dropped since the last call because this process had not read those before.
  std::uint64_t dropped();

 private:
  std::uint64_t drop_counter() const;

  int device_ = -1;
  int counters_ = -1;  // /proc/net/dev of the namespace
  std::string name_;
  std::uint64_t dropped_ = 0;
};

}  // namespace links
#endif
