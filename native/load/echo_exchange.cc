#include <algorithm>
#include <cstring>
#include <vector>

#include "load/exchange.h"

namespace load {
namespace {

struct Stamp {
  std::uint32_t connection;
  std::uint32_t sequence;
};
static_assert(sizeof(Stamp) == 8);

class EchoExchange final : public Exchange {
 public:
  EchoExchange(std::uint32_t connections, std::size_t size)
      : size_(size), stamp_size_(std::min(size, sizeof(Stamp))), pattern_(size + kShifts), states_(connections) {
    // The period is a prime below 256, so a payload shifted by any number of bytes below it differs.
    for (std::size_t i = 0; i < pattern_.size(); ++i) pattern_[i] = static_cast<std::byte>(i % 251);
  }

  std::size_t request_size() const noexcept override { return size_; }

  void write_request(std::uint32_t id, std::uint32_t sequence, std::byte* out) const noexcept override {
    const Stamp stamp{id, sequence};
    std::memcpy(out, &stamp, stamp_size_);
    std::memcpy(out + stamp_size_, pattern_of(sequence), size_ - stamp_size_);
  }

  void restart(std::uint32_t id) noexcept override { states_[id] = {}; }

  Reading read_reply(std::uint32_t id, Bytes bytes) override {
    State& state = states_[id];
    const std::size_t take = std::min(bytes.size(), size_ - state.offset);
    state.wrong |= !same(id, state, bytes.first(take));
    state.offset += static_cast<std::uint32_t>(take);
    if (state.offset < size_) return {take, Verdict::incomplete};
    const Verdict verdict = state.wrong ? Verdict::mismatch : Verdict::good;
    state = {state.sequence + 1, 0, false};
    return {take, verdict};
  }

  Reading finish(std::uint32_t) override { return {0, Verdict::broken, true}; }

 private:
  static constexpr std::size_t kShifts = 256;
  struct State {
    std::uint32_t sequence = 0;
    std::uint32_t offset = 0;
    bool wrong = false;
  };

  const std::byte* pattern_of(std::uint32_t sequence) const noexcept { return &pattern_[sequence % kShifts]; }

  bool same(std::uint32_t id, const State& state, Bytes bytes) const noexcept {
    const Stamp stamp{id, state.sequence};
    std::size_t offset = state.offset;
    if (offset < stamp_size_) {
      const std::size_t part = std::min(bytes.size(), stamp_size_ - offset);
      if (std::memcmp(bytes.data(), reinterpret_cast<const std::byte*>(&stamp) + offset, part) != 0) return false;
      bytes = bytes.subspan(part);
      offset += part;
    }
    return std::memcmp(bytes.data(), pattern_of(state.sequence) + offset - stamp_size_, bytes.size()) == 0;
  }

  std::size_t size_;
  std::size_t stamp_size_;
  std::vector<std::byte> pattern_;
  std::vector<State> states_;
};

}  // namespace

std::unique_ptr<Exchange> make_echo_exchange(std::uint32_t connections, std::size_t size) {
  return std::make_unique<EchoExchange>(connections, size);
}

}  // namespace load
