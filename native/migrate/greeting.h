// Puts a receiver's greeting together from bytes as they come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "migrate/format.h"

namespace migrate {

class GreetingIntake {
 public:
  /// Where the next bytes go.
  std::span<std::byte> room() noexcept { return all().subspan(got_); }
  /// So many came, of a memory of so many blocks. False: they are no greeting.
  bool advance(std::size_t came, std::size_t blocks) {
    got_ += came;
    if (got_ < all().size()) return true;
    if (!headed_) {
      if (head_.mark != kGreetingMark || head_.check != check_of(head_)) return false;
      if (head_.blocks != 0 && head_.blocks != blocks) return false;
      headed_ = true;
      digests_.resize(head_.blocks);
      got_ = 0;
      if (!digests_.empty()) return true;
    }
    return head_.list == digest_of(all());
  }
  bool whole() noexcept { return headed_ && got_ == all().size(); }
  /// Of the blocks that the receiver has; empty: zeros.
  std::span<const std::uint64_t> digests() const noexcept { return digests_; }

 private:
  std::span<std::byte> all() noexcept {
    return headed_ ? std::as_writable_bytes(std::span(digests_)) : std::as_writable_bytes(std::span(&head_, 1));
  }

  Greeting head_;
  std::vector<std::uint64_t> digests_;
  std::size_t got_ = 0;
  bool headed_ = false;
};

}  // namespace migrate
