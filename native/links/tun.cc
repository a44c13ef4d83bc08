#ifdef __linux__
#include "links/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

namespace links {
namespace {

std::string failed(const std::string& what) { return what + " (" + std::strerror(errno) + ")"; }

}  // namespace

Tun::~Tun() {
  for (const int fd : {device_, counters_}) {
    if (fd >= 0) close(fd);
  }
}

std::string Tun::open(const std::string& space, const std::string& device) {
  if (device.size() >= IFNAMSIZ) return "'" + device + "' is too long for the name of a device";
  const int file = ::open(space.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed("the namespace " + space + " cannot be opened");
  const int entered = setns(file, CLONE_NEWNET);
  const std::string refusal = entered == 0 ? "" : failed("the namespace " + space + " cannot be entered");
  close(file);
  if (entered != 0) return refusal;
  // A device belongs to the namespace in which its file was opened, and so do the files below net/.
  device_ = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device_ < 0) return failed("/dev/net/tun cannot be opened");
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::memcpy(request.ifr_name, device.data(), device.size());
  if (ioctl(device_, TUNSETIFF, &request) != 0) return failed("no TUN device '" + device + "' can be made");
  name_ = device + ":";
  counters_ = ::open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
  if (counters_ < 0) return failed("/proc/net/dev cannot be opened");
  return "";
}

ssize_t Tun::read(std::span<std::byte> packet) noexcept { return ::read(device_, packet.data(), packet.size()); }

bool Tun::write(std::span<const std::byte> packet) noexcept {
  return ::write(device_, packet.data(), packet.size()) == static_cast<ssize_t>(packet.size());
}

std::uint64_t Tun::drop_counter() const {
  std::string text(16384, '\0');
  const ssize_t size = pread(counters_, text.data(), text.size(), 0);
  if (size <= 0) return dropped_;
  text.resize(static_cast<std::size_t>(size));
  const std::size_t row = text.find(name_);
  if (row == text.npos) return dropped_;
  // Eight columns of what was received, then bytes, packets, errors and drops of what was sent.
  std::istringstream columns(text.substr(row + name_.size()));
  std::uint64_t value = 0;
  for (int column = 0; column < 12; ++column) columns >> value;
  return columns ? value : dropped_;
}

std::uint64_t Tun::dropped() {
  const std::uint64_t before = dropped_;
  dropped_ = drop_counter();
  return dropped_ - before;
}

}  // namespace links
#endif
