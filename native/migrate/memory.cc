#include "migrate/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "migrate/format.h"

namespace migrate {
namespace {

// Zeros that are never written take no memory, and need not be promised any.
#ifdef MAP_NORESERVE
constexpr int kOwn = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
#else
constexpr int kOwn = MAP_PRIVATE | MAP_ANONYMOUS;
#endif

std::string failure(const std::string& what) { return what + ": " + std::strerror(errno); }

}  // namespace

Memory::~Memory() {
  if (at_ != nullptr) munmap(at_, size_);
}

/// Closes `fd`, which a mapping does not need to stay open.
std::string Memory::map(int fd, std::size_t size, bool writable, Memory& memory) {
  const int rights = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const int flags = fd < 0 ? kOwn : MAP_SHARED;
  void* const at = mmap(nullptr, size, rights, flags, fd, 0);
  const std::string fault = at == MAP_FAILED ? failure("there is no memory for " + std::to_string(size) + " bytes") : "";
  if (fd >= 0) close(fd);
  if (!fault.empty()) return fault;
  Memory mapped;
  mapped.at_ = static_cast<std::byte*>(at);
  mapped.size_ = size;
  memory = std::move(mapped);
  return "";
}

std::string Memory::make(std::size_t size, Memory& memory) { return map(-1, size, true, memory); }

std::string Memory::read(const std::string& path, Memory& memory) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failure("cannot open '" + path + "'");
  struct stat facts{};
  const bool known = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
  if (!known || facts.st_size <= 0 || facts.st_size % static_cast<off_t>(kPage) != 0) {
    close(fd);
    return "'" + path + "' is no memory: it must be a file of whole pages of " + std::to_string(kPage) + " bytes";
  }
  return map(fd, static_cast<std::size_t>(facts.st_size), false, memory);
}

std::string Memory::keep(const std::string& path, std::size_t size, Memory& memory, bool& found) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  struct stat facts{};
  found = fd >= 0 && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size == static_cast<off_t>(size);
  if (found) return map(fd, size, true, memory);
  if (fd >= 0) close(fd);
  return create(path, size, memory);
}

std::string Memory::create(const std::string& path, std::size_t size, Memory& memory) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failure("cannot create '" + path + "'");
  if (ftruncate(fd, static_cast<off_t>(size)) != 0) {
    const std::string fault = failure("cannot make '" + path + "' " + std::to_string(size) + " bytes long");
    close(fd);
    return fault;
  }
  return map(fd, size, true, memory);
}

void copy_live(std::span<std::byte> to, std::span<const std::byte> from) noexcept {
  auto* const words = reinterpret_cast<std::uint64_t*>(to.data());
  const auto* const live = reinterpret_cast<const std::uint64_t*>(from.data());
  for (std::size_t i = 0; i < to.size() / sizeof *words; ++i) words[i] = __atomic_load_n(live + i, __ATOMIC_RELAXED);
}

}  // namespace migrate
