#include "addon/shared_buffer.h"

#include "addon/environment.h"

namespace addon {

bool SharedBuffer::attach(Napi::Env env, napi_value value, std::size_t bytes, const char* what) {
  bool is_buffer = false;
  napi_is_arraybuffer(env, value, &is_buffer);
  if (!is_buffer) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", std::string(what) + " must be an ArrayBuffer");
    return false;
  }
  void* data = nullptr;
  std::size_t size = 0;
  napi_get_arraybuffer_info(env, value, &data, &size);
  if (size < bytes) {
    throw_coded(env, "ERR_OUT_OF_RANGE",
                std::string(what) + " has " + std::to_string(size) + " bytes and needs " + std::to_string(bytes));
    return false;
  }
  env_ = env;
  napi_create_reference(env, value, 1, &reference_);
  data_ = static_cast<std::byte*>(data);
  size_ = size;
  return true;
}

}  // namespace addon
