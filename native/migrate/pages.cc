#include "migrate/pages.h"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "migrate/format.h"

namespace migrate {
namespace {

constexpr std::size_t kPiece = 1 << 20;
constexpr std::string_view kSentence = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. ";
constexpr std::string_view kWord = "VM_MEMORY_PAGE_DATA_";
constexpr std::string_view kPattern = "\xAA\x55\xAA\x55";

void repeat(std::span<std::byte> into, std::string_view what) noexcept {
  for (std::size_t at = 0; at < into.size(); at += what.size()) {
    std::memcpy(into.data() + at, what.data(), std::min(what.size(), into.size() - at));
  }
}

void randomize(std::span<std::byte> into, Random& random) noexcept {
  for (std::size_t at = 0; at < into.size(); at += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(into.data() + at, &word, std::min<std::size_t>(8, into.size() - at));
  }
}

/// A piece that is zeros, then `what` again and again, then random.
void layers(std::span<std::byte> piece, std::size_t zero_percent, std::string_view what, std::size_t what_percent,
            Random& random) noexcept {
  const std::size_t begin = piece.size() * zero_percent / 100;
  const std::size_t end = piece.size() * (zero_percent + what_percent) / 100;
  repeat(piece.subspan(begin, end - begin), what);
  randomize(piece.subspan(end), random);
}

}  // namespace

void fill(std::span<std::byte> memory, PageSet set, std::uint64_t seed) noexcept {
  Random random(seed);
  for (std::size_t at = 0; at < memory.size(); at += kPiece) {
    const auto piece = memory.subspan(at, std::min(kPiece, memory.size() - at));
    switch (set) {
      case PageSet::zeros: return;
      case PageSet::text: repeat(piece, kSentence); break;
      case PageSet::vm: layers(piece, 60, kWord, 30, random); break;
      case PageSet::mixed: layers(piece, 40, kPattern, 30, random); break;
      case PageSet::random: randomize(piece, random); break;
    }
  }
}

void dirty(std::span<std::byte> memory, std::uint32_t millionths, Random& random) noexcept {
  const std::uint64_t words = memory.size() / 8;
  for (std::uint64_t left = words * millionths / 1'000'000; left > 0; --left) {
    const std::uint64_t word = random.next();
    std::memcpy(memory.data() + 8 * random.below(words), &word, sizeof word);
  }
}

void Dirtier::start(std::uint64_t pages_per_second) {
  if (pages_per_second == 0 || thread_.joinable()) return;
  thread_ = std::thread([this, pages_per_second] { run(pages_per_second); });
}

void Dirtier::stop() {
  ending_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

void Dirtier::run(std::uint64_t pages_per_second) {
  const std::uint64_t pages = memory_.size() / kPage;
  const process::Nanoseconds began = process::monotonic_now();
  std::uint64_t written = 0;
  while (!ending_.load(std::memory_order_relaxed)) {
    const auto elapsed = static_cast<std::uint64_t>(process::monotonic_now() - began);
    const std::uint64_t due = elapsed / 1000 * pages_per_second / 1'000'000;
    for (; written < due; ++written) {
      std::byte* const at = memory_.data() + random_.below(pages) * kPage + 8 * random_.below(kPage / 8);
      __atomic_store_n(reinterpret_cast<std::uint64_t*>(at), random_.next(), __ATOMIC_RELAXED);
    }
    written_.store(written, std::memory_order_relaxed);
    const timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace migrate
