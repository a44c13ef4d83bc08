// Memory that JavaScript allocates once and native code reads and writes on every crossing.
#pragma once

#include <napi.h>

#include <cstddef>

namespace addon {

/// Keeps an ArrayBuffer alive and remembers where it is. JavaScript can still detach it (transfer), after which the
/// memory is gone: every use asks attached() first. Buffers whose memory can move or be shared are refused.
class SharedBuffer {
 public:
  SharedBuffer() = default;
  SharedBuffer(const SharedBuffer&) = delete;
  SharedBuffer& operator=(const SharedBuffer&) = delete;
  ~SharedBuffer() {
    if (reference_ != nullptr) napi_delete_reference(env_, reference_);
  }

  /// Takes `value`, which must be a plain ArrayBuffer of at least `bytes`; otherwise throws a JavaScript error that
  /// names `what`, and returns false.
  bool attach(Napi::Env env, napi_value value, std::size_t bytes, const char* what);

  /// False once JavaScript has detached the buffer.
  bool attached() const noexcept {
    napi_value value = nullptr;
    bool detached = true;
    return reference_ != nullptr && napi_get_reference_value(env_, reference_, &value) == napi_ok && value != nullptr &&
           napi_is_detached_arraybuffer(env_, value, &detached) == napi_ok && !detached;
  }

  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  napi_env env_ = nullptr;
  napi_ref reference_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace addon
