// Memory that JavaScript allocates once and native code reads and writes on every crossing.
#pragma once

#include <napi.h>

#include <cstddef>

namespace addon {

/// Keeps an ArrayBuffer alive and remembers where it is. JavaScript can still detach it (transfer) or, of a resizable
/// one, shrink it, after which the memory is gone: every use asks attached() first. The engine is asked where the bytes
/// are, never a property of the object, which a script can redefine. Shared memory is refused.
class SharedBuffer {
 public:
  SharedBuffer() = default;
  SharedBuffer(const SharedBuffer&) = delete;
  SharedBuffer& operator=(const SharedBuffer&) = delete;
  ~SharedBuffer() {
    if (reference_ != nullptr) napi_delete_reference(env_, reference_);
  }

  /// Takes `value`, which must be an ArrayBuffer of at least `bytes`; otherwise throws a JavaScript error that
  /// names `what`, and returns false.
  bool attach(Napi::Env env, napi_value value, std::size_t bytes, const char* what);

  /// False once JavaScript has detached or shrunk the buffer. Nothing of a script runs between this and the end of a
  /// native call, so that what it says holds for the whole call.
  bool attached() const noexcept {
    napi_value value = nullptr;
    void* data = nullptr;
    std::size_t size = 0;
    return reference_ != nullptr && napi_get_reference_value(env_, reference_, &value) == napi_ok && value != nullptr &&
           napi_get_arraybuffer_info(env_, value, &data, &size) == napi_ok && data == data_ && size >= size_;
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
