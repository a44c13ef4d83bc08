// Puts frames together from bytes as they come. It never has more in hand than one frame of the longest kind.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "migrate/format.h"
#include "migrate/store.h"

namespace migrate {

class Intake {
 public:
  /// Where the next bytes go: as many as the frame still lacks, of its head first.
  std::span<std::byte> room() noexcept {
    return headed_ ? std::span(body_).subspan(got_, head_.packed - got_)
                   : std::as_writable_bytes(std::span(&head_, 1)).subspan(got_);
  }
  /// So many came. Null or why they are no frame; `bytes` is the memory's size.
  const char* advance(std::size_t came, std::uint64_t bytes) {
    got_ += came;
    if (headed_ || got_ < sizeof head_) return nullptr;
    if (const char* why = refusal(head_, bytes)) return why;
    headed_ = true;
    got_ = 0;
    if (body_.size() < head_.packed) body_.resize(head_.packed);
    return nullptr;
  }
  bool whole() const noexcept { return headed_ && got_ == head_.packed; }
  bool empty() const noexcept { return !headed_ && got_ == 0; }
  const FrameHead& head() const noexcept { return head_; }
  std::span<const std::byte> body() const noexcept { return std::span(body_).first(head_.packed); }
  void next() noexcept {
    headed_ = false;
    got_ = 0;
  }

 private:
  FrameHead head_;
  std::vector<std::byte> body_;
  std::size_t got_ = 0;
  bool headed_ = false;
};

}  // namespace migrate
