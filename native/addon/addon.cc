// Entry point of the addon: error helpers shared by all areas, and the list of areas.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "addon/environment.h"

namespace addon {

std::string errno_name(int errno_value) {
  struct Name {
    int value;
    const char* text;
  };
#define NAME(code) \
  Name { code, #code }
  static constexpr Name names[] = {
      NAME(EACCES),       NAME(EADDRINUSE),   NAME(EADDRNOTAVAIL), NAME(EAFNOSUPPORT), NAME(EAGAIN),   NAME(EALREADY),
      NAME(EBADF),        NAME(ECONNABORTED), NAME(ECONNREFUSED),  NAME(ECONNRESET),   NAME(EEXIST),   NAME(EFAULT),
      NAME(EHOSTUNREACH), NAME(EINPROGRESS),  NAME(EINTR),         NAME(EINVAL),       NAME(EIO),      NAME(EISCONN),
      NAME(EMFILE),       NAME(EMSGSIZE),     NAME(ENETUNREACH),   NAME(ENFILE),       NAME(ENOBUFS),  NAME(ENOENT),
      NAME(ENOMEM),       NAME(ENOSPC),       NAME(ENOSYS),        NAME(ENOTCONN),     NAME(ENOTSOCK), NAME(EPERM),
      NAME(EPIPE),        NAME(ERANGE),       NAME(ETIMEDOUT),
  };
#undef NAME
  for (const Name& name : names) {
    if (name.value == errno_value) return name.text;
  }
  return "E" + std::to_string(errno_value);
}

void throw_coded(Napi::Env env, const std::string& code, const std::string& message, int errno_value) {
  if (env.IsExceptionPending()) return;
  Napi::Error error = Napi::Error::New(env, message);
  define(error.Value(), "code", Napi::String::New(env, code));
  if (errno_value != 0) define(error.Value(), "errno", Napi::Number::New(env, errno_value));
  error.ThrowAsJavaScriptException();
}

void throw_errno(Napi::Env env, int errno_value, const std::string& what) {
  throw_coded(env, errno_name(errno_value),
              errno_name(errno_value) + ": " + std::strerror(errno_value) + " (" + what + ")", errno_value);
}

bool int_argument(const Napi::CallbackInfo& info, std::size_t index, const char* what, double low, double high,
                  std::int64_t& out) {
  Napi::Env env = info.Env();
  if (index >= info.Length() || !info[index].IsNumber()) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", std::string(what) + " must be a number");
    return false;
  }
  const double value = info[index].As<Napi::Number>().DoubleValue();
  if (std::floor(value) != value || !(value >= low && value <= high)) {
    throw_coded(env, "ERR_OUT_OF_RANGE",
                std::string(what) + " must be an integer from " + std::to_string(static_cast<long long>(low)) + " to " +
                    std::to_string(static_cast<long long>(high)));
    return false;
  }
  out = static_cast<std::int64_t>(value);
  return true;
}

bool read_turn(napi_env env, napi_callback_info info, const char* what, TurnArguments& given) {
  napi_value arguments[3];
  std::size_t length = 3;
  double timeout_us = 0;
  napi_get_cb_info(env, info, &length, arguments, nullptr, &given.data);
  if (napi_get_value_uint32(env, arguments[0], &given.handle) != napi_ok ||
      napi_get_value_double(env, arguments[1], &given.count) != napi_ok ||
      napi_get_value_double(env, arguments[2], &timeout_us) != napi_ok) [[unlikely]] {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", std::string("turn takes three numbers: handle, ") + what + ", timeoutUs");
    return false;
  }
  if (std::isnan(timeout_us)) [[unlikely]] {
    throw_coded(env, "ERR_OUT_OF_RANGE", "timeoutUs must be a number of microseconds, negative to wait for ever");
    return false;
  }
  constexpr double kMostUs = 9e15;  // in nanoseconds still an int64
  if (timeout_us >= 0) given.timeout_ns = static_cast<std::int64_t>(std::ceil(std::min(timeout_us, kMostUs) * 1000));
  return true;
}

bool TurnArguments::within(napi_env env, const char* what, std::uint32_t most) const {
  if (count >= 0 && count <= most && std::floor(count) == count) [[likely]] return true;
  throw_coded(env, "ERR_OUT_OF_RANGE", std::string(what) + " must be an integer from 0 to " + std::to_string(most));
  return false;
}

Words::Words(const Napi::Array& from) {
  Napi::Env env = from.Env();
  for (std::uint32_t i = 0, length = from.Length(); i < length; ++i) {
    const Napi::Value word = from.Get(i);
    if (env.IsExceptionPending()) return;
    if (!word.IsString()) {  // converting it would run a script
      throw_coded(env, "ERR_INVALID_ARG_TYPE", "arguments must be strings");
      return;
    }
    words_.push_back(word.As<Napi::String>().Utf8Value());
  }
  for (std::string& word : words_) pointers_.push_back(word.data());
}

void export_functions(Napi::Env env, Napi::Object exports, void* state,
                      std::initializer_list<NamedFunction> functions) {
  for (const auto& [name, function] : functions) {
    define(exports, name, Napi::Function::New(env, function, name, state));
  }
}

void export_hot(Napi::Env env, Napi::Object exports, const char* name, napi_callback function, void* state) {
  napi_value value = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, state, &value);
  define(exports, name, value);
}

}  // namespace addon

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  addon::export_process(env, exports);
  addon::export_server(env, exports);
  addon::export_sockets(env, exports);
  addon::export_registry(env, exports);
  addon::export_cost(env, exports, addon::export_poller(env, exports));
  addon::export_load(env, exports);
  addon::export_datagram(env, exports);
  addon::export_udp_echo(env, exports);
  addon::export_session(env, exports);
  addon::export_completion(env, exports);
  addon::export_quorum(env, exports);
  addon::export_sealing(env, exports);
  return exports;
}

NODE_API_MODULE(dispatchbench, init)
