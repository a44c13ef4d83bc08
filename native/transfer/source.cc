#include "transfer/source.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace transfer {
namespace {

/// splitmix64 by Sebastiano Vigna: a full period from any seed.
std::uint64_t draw(std::uint64_t& state) noexcept {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

int nameless_file() noexcept {
#ifdef __linux__
  return memfd_create("dispatchbench-transfer", MFD_CLOEXEC);
#else
  char name[] = "/tmp/dispatchbench-transfer-XXXXXX";
  const int fd = mkstemp(name);
  if (fd >= 0) unlink(name);
  return fd;
#endif
}

}  // namespace

Source::~Source() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
  if (file_ >= 0) close(file_);
}

std::string Source::open(std::size_t chunk, std::size_t memory, std::uint64_t seed) {
  const auto failed = [](const char* what) { return std::string(what) + " what is sent: " + std::strerror(errno); };
  const std::size_t size = (memory + chunk - 1) / chunk * chunk;
  chunk_ = chunk;
  file_ = nameless_file();
  if (file_ < 0 || ftruncate(file_, static_cast<off_t>(size)) != 0) return failed("cannot make the file of");
  void* const mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (mapped == MAP_FAILED) return failed("cannot map");
  bytes_ = {static_cast<std::byte*>(mapped), size};
  for (std::size_t at = 0; at < size; at += sizeof seed) {
    const std::uint64_t drawn = draw(seed);
    std::memcpy(bytes_.data() + at, &drawn, std::min(sizeof drawn, size - at));
  }
  return "";
}

}  // namespace transfer
