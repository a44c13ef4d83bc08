// What every peer's waiter keeps: a watch for each pair, at a place that stays, and the handler of the present turn, which the
// library's callbacks reach through it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace peers {

/// The handler of the present turn, whatever its type.
class Handler {
 public:
  template <class Handle>
  void set(Handle& handle) noexcept {
    handle_ = &handle;
    call_ = [](void* to, std::uint32_t pair) { (*static_cast<Handle*>(to))(pair); };
  }
  void operator()(std::uint32_t pair) const { call_(handle_, pair); }

 private:
  void* handle_ = nullptr;
  void (*call_)(void*, std::uint32_t) = nullptr;
};

/// By pair. `Watch` holds what the library knows of one.
template <class Watch>
class Watches {
 public:
  Watch& make(std::uint32_t pair) {
    if (pair >= all_.size()) all_.resize(pair + 1);
    all_[pair] = std::make_unique<Watch>();
    return *all_[pair];
  }
  Watch& operator[](std::uint32_t pair) noexcept { return *all_[pair]; }
  /// The caller's from now on.
  Watch* release(std::uint32_t pair) noexcept { return all_[pair].release(); }
  template <class Each>
  void each(Each each) {
    for (const auto& one : all_) {
      if (one != nullptr) each(*one);
    }
  }

 private:
  std::vector<std::unique_ptr<Watch>> all_;
};

}  // namespace peers
