// select(2), pselect(2): two bitmaps up to the highest descriptor, copied to the kernel and back on every wait.
//
// a) The bitmaps are our own words. FD_SET stops at FD_SETSIZE: beyond it, it aborts under _FORTIFY_SOURCE or corrupts
//    memory. The kernels of Linux, the BSDs and macOS (_DARWIN_UNLIMITED_SELECT) take longer maps. `select-posix` is
//    what portable code may rely on: the same, but max_descriptor is FD_SETSIZE - 1.
// b) The cost of a wait follows the highest descriptor, not the number of descriptors: a removal lowers it.
// c) The call overwrites its input: the maps asked for are kept, and copied before each wait. Zero words are skipped.
// d) The result counts bits, not descriptors: a descriptor ready in both directions counts two.
// e) All bits are answered at once, whatever fits in the caller's result array: after a full result the next scan
//    starts behind the descriptor reported last, so that nobody starves.
// f) Errors, end of file and hang-up have no flag of their own; they make a descriptor readable or writable. The third
//    map means out-of-band data and is not used.
// g) One descriptor closed without forget() fails the whole call with EBADF and does not say which: each is asked, and
//    those that are gone are reported and dropped.
// h) NetBSD and OpenBSD wait in ticks of their clock; see ticks.h.
#ifndef _WIN32
#ifdef __APPLE__
#define _DARWIN_UNLIMITED_SELECT 1
#endif
#include <sys/select.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <vector>

#include "dispatch/factories.h"
#include "dispatch/handles.h"
#include "dispatch/ticks.h"

namespace dispatch {
namespace {

using Word = unsigned long;
constexpr int kBits = 8 * sizeof(Word);
static_assert(std::endian::native == std::endian::little, "the kernel's words may be narrower than ours");

class Select final : public Backend {
 public:
  Select(Counters& counters, std::int32_t max_descriptor) noexcept
      : Backend(counters),
        capabilities_{
            .trigger = Trigger::level,
            .wait_complexity = WaitComplexity::highest_descriptor,
            .timeout_resolution_ns = resolution_ns(1),
            .max_descriptor = max_descriptor,
#ifdef __linux__
            .wait_call = "pselect6",
#else
            .wait_call = "pselect",
#endif
        } {}

  const Capabilities& capabilities() const noexcept override { return capabilities_; }

  int set_interest(Handle fd, Token token, Interest, Interest wanted) noexcept override {
    const auto at = static_cast<std::size_t>(fd);
    if (at >= tokens_.size()) grow(at + 1);
    tokens_[at] = token;
    set_bits(fd, wanted);
    return 0;
  }

  void forget(Handle fd, Token, Interest) noexcept override { set_bits(fd, Interest::none); }

  WaitResult wait(std::span<Event> out, TimeoutNs timeout) noexcept override {
    const auto words = static_cast<std::size_t>((limit_ + kBits - 1) / kBits);
    std::copy_n(read_.begin(), words, ready_read_.begin());
    std::copy_n(write_.begin(), words, ready_write_.begin());
    timespec storage;
    ++counters_.waits;
    const int bits =
        ::pselect(limit_, reinterpret_cast<fd_set*>(ready_read_.data()), reinterpret_cast<fd_set*>(ready_write_.data()),
                  nullptr, timespec_of(timeout, storage), nullptr);
    if (bits < 0) {
      if (errno == EINTR) return {.interrupted = true};
      if (errno == EBADF) return report_closed(out);
      return {.error = errno};
    }
    if (bits == 0) return {};
    counters_.raw_events += static_cast<std::uint64_t>(bits);
    return collect(out, words, bits);
  }

 private:
  /// Turns set bits into rows, from start_ to the end and then from the beginning up to start_.
  WaitResult collect(std::span<Event> out, std::size_t words, int bits) noexcept {
    if (start_ >= limit_) start_ = 0;
    const std::size_t first = static_cast<std::size_t>(start_) / kBits;
    const Word from_start = ~Word{0} << (start_ % kBits);
    std::size_t count = 0;
    int last = 0;
    // The first word is visited twice when the scan starts inside it: its upper part first, its lower part last.
    for (std::size_t step = 0; step <= words && bits > 0 && count < out.size(); ++step) {
      const std::size_t at = first + step < words ? first + step : first + step - words;
      const Word part = step == 0 ? from_start : step == words ? ~from_start : ~Word{0};
      Word pending = (ready_read_[at] | ready_write_[at]) & part;
      for (; pending != 0 && count < out.size(); pending &= pending - 1) {
        const int bit = std::countr_zero(pending);
        const Word mask = Word{1} << bit;
        std::uint32_t flags = 0;
        if ((ready_read_[at] & mask) != 0) flags |= readable;
        if ((ready_write_[at] & mask) != 0) flags |= writable;
        last = static_cast<int>(at) * kBits + bit;
        bits -= std::popcount(flags);
        const Token token = tokens_[static_cast<std::size_t>(last)];
        out[count++] = {token.slot, token.generation, flags, 0};
      }
    }
    const bool saturated = count == out.size();
    start_ = saturated ? last + 1 : 0;
    return {.count = static_cast<int>(count), .saturated = saturated};
  }

  WaitResult report_closed(std::span<Event> out) noexcept {
    std::size_t count = 0;
    for (int fd = 0, end = limit_; fd < end && count < out.size(); ++fd) {
      const auto at = static_cast<std::size_t>(fd);
      if ((((read_[at / kBits] | write_[at / kBits]) >> (at % kBits)) & 1) == 0) continue;
      if (is_open(fd)) continue;
      set_bits(fd, Interest::none);
      out[count++] = {tokens_[at].slot, tokens_[at].generation, invalid, 0};
    }
    return {.count = static_cast<int>(count), .saturated = count == out.size()};
  }

  void grow(std::size_t descriptors) noexcept {
    const std::size_t size = std::max(descriptors, tokens_.size() * 2);
    const std::size_t words = (size + kBits - 1) / kBits;
    tokens_.resize(words * kBits);
    for (auto* map : {&read_, &write_, &ready_read_, &ready_write_}) map->resize(words);
  }

  void set_bits(int fd, Interest wanted) noexcept {
    const std::size_t word = static_cast<std::size_t>(fd) / kBits;
    if (word >= read_.size()) return;
    const Word mask = Word{1} << (fd % kBits);
    read_[word] = wants_read(wanted) ? read_[word] | mask : read_[word] & ~mask;
    write_[word] = wants_write(wanted) ? write_[word] | mask : write_[word] & ~mask;
    if (wanted != Interest::none) {
      limit_ = std::max(limit_, fd + 1);
    } else if (fd + 1 == limit_) {
      lower_limit();
    }
  }

  void lower_limit() noexcept {
    std::size_t words = static_cast<std::size_t>((limit_ + kBits - 1) / kBits);
    while (words > 0 && (read_[words - 1] | write_[words - 1]) == 0) --words;
    limit_ = words == 0 ? 0 : static_cast<int>(words) * kBits - std::countl_zero(read_[words - 1] | write_[words - 1]);
  }

  const Capabilities capabilities_;
  std::vector<Word> read_, write_;              // asked for
  std::vector<Word> ready_read_, ready_write_;  // answered
  std::vector<Token> tokens_;                   // by descriptor
  int limit_ = 0;                               // highest descriptor of interest, plus one
  int start_ = 0;                               // descriptor at which the next scan starts
};

}  // namespace

std::unique_ptr<Backend> make_select(Counters& counters, int&) { return std::make_unique<Select>(counters, -1); }
std::unique_ptr<Backend> make_select_posix(Counters& counters, int&) {
  return std::make_unique<Select>(counters, FD_SETSIZE - 1);
}

}  // namespace dispatch
#endif
