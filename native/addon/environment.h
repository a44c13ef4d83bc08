// Per-environment state of the addon (one per Node environment: main thread or Worker) and its small argument helpers.
// Each area of the addon (poller, sockets, server, load, process) registers its functions from its own file.
#pragma once

#include <napi.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace addon {

/// Objects that JavaScript holds by a small integer handle. A freed or foreign handle is a typed error, never a crash.
template <class T>
class Handles {
 public:
  std::uint32_t put(std::unique_ptr<T> object) {
    objects_.emplace(++last_, std::move(object));
    return last_;
  }
  T* get(std::uint32_t handle) const {
    auto it = objects_.find(handle);
    return it == objects_.end() ? nullptr : it->second.get();
  }
  std::unique_ptr<T> take(std::uint32_t handle) {
    auto it = objects_.find(handle);
    if (it == objects_.end()) return nullptr;
    auto object = std::move(it->second);
    objects_.erase(it);
    return object;
  }

 private:
  std::uint32_t last_ = 0;
  std::map<std::uint32_t, std::unique_ptr<T>> objects_;
};

/// Throws a JavaScript error with `.code` (an errno name such as "EBADF", or our "ERR_..." names) and `.errno`.
void throw_coded(Napi::Env env, const std::string& code, const std::string& message, int errno_value = 0);
/// The same from an errno: code and text are the system's ("EBADF: ... (what)").
void throw_errno(Napi::Env env, int errno_value, const std::string& what);
/// errno -> "EBADF"; unknown numbers give "E<number>".
std::string errno_name(int errno_value);

/// Reads argument `index` as an integer within [low, high]; otherwise throws ERR_INVALID_ARG_TYPE / ERR_OUT_OF_RANGE
/// naming `what`, and returns false.
bool int_argument(const Napi::CallbackInfo& info, std::size_t index, const char* what, double low, double high, std::int64_t& out);

/// Adds one area's functions to `exports`.
void export_poller(Napi::Env env, Napi::Object exports);

}  // namespace addon
