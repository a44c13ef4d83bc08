// Per-environment state of the addon (one per Node environment: main thread or Worker) and its small argument helpers.
// Each area of the addon (poller, sockets, server, load, process, cost) registers its functions from its own file.
#pragma once

#include <napi.h>

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace addon {

/// Objects that JavaScript holds by a small integer handle. A freed or foreign handle is a typed error, never a crash:
/// handles are not used twice, so an environment pays one pointer for each object it ever held.
template <class T>
class Handles {
 public:
  std::uint32_t put(std::unique_ptr<T> object) {
    objects_.push_back(std::move(object));
    return static_cast<std::uint32_t>(objects_.size());
  }
  T* get(std::uint32_t handle) const noexcept {
    return handle - 1 < objects_.size() ? objects_[handle - 1].get() : nullptr;
  }
  std::unique_ptr<T> take(std::uint32_t handle) noexcept {
    return handle - 1 < objects_.size() ? std::move(objects_[handle - 1]) : nullptr;
  }

 private:
  std::vector<std::unique_ptr<T>> objects_;
};

/// Creates an area's state for this environment, to be bound to its functions as callback data. It is destroyed when
/// the environment ends, with every descriptor it still holds; areas exported later are destroyed earlier.
template <class State, class... Arguments>
State& make_state(napi_env env, Arguments&&... arguments) {
  auto* state = new State{std::forward<Arguments>(arguments)...};
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<State*>(data); }, state);
  return *state;
}

/// Gives an object or array of ours a property of its own. Napi's Set() would run a setter that a script has put on a
/// prototype: results and errors are made without running any script.
template <class T>
void define(Napi::Object to, const char* name, const T& value) {
  const napi_value made = Napi::Value::From(to.Env(), value);
  const napi_property_descriptor property{name,    nullptr, nullptr, nullptr, nullptr, made, napi_default_jsproperty,
                                          nullptr};
  napi_define_properties(to.Env(), to, 1, &property);
}
template <class T>
void define(Napi::Object to, std::uint32_t index, const T& value) {
  define(to, std::to_string(index).c_str(), value);
}

/// Throws a JavaScript error with `.code` (an errno name such as "EBADF", or our "ERR_..." names) and `.errno`. An exception
/// that is pending already stays: it came first.
void throw_coded(Napi::Env env, const std::string& code, const std::string& message, int errno_value = 0);
/// The same from an errno: code and text are the system's ("EBADF: ... (what)").
void throw_errno(Napi::Env env, int errno_value, const std::string& what);
/// errno -> "EBADF"; unknown numbers give "E<number>".
std::string errno_name(int errno_value);

/// Reads argument `index` as an integer within [low, high]; otherwise throws ERR_INVALID_ARG_TYPE / ERR_OUT_OF_RANGE
/// naming `what`, and returns false.
bool int_argument(const Napi::CallbackInfo& info, std::size_t index, const char* what, double low, double high,
                  std::int64_t& out);

/// The object of argument 0, or null after throwing: ERR_CLOSED_HANDLE with the text `closed` for a freed or foreign
/// handle.
template <class T>
T* handle_argument(const Napi::CallbackInfo& info, const Handles<T>& handles, const char* closed) {
  std::int64_t handle = 0;
  if (!int_argument(info, 0, "handle", 0, 0xffffffff, handle)) return nullptr;
  T* object = handles.get(static_cast<std::uint32_t>(handle));
  if (object == nullptr) throw_coded(info.Env(), "ERR_CLOSED_HANDLE", closed);
  return object;
}

/// Destroys the object of argument 0. Doing so twice is no error.
template <class T>
Napi::Value free_argument(const Napi::CallbackInfo& info, Handles<T>& handles) {
  std::int64_t handle = 0;
  if (int_argument(info, 0, "handle", 0, 0xffffffff, handle)) handles.take(static_cast<std::uint32_t>(handle));
  return info.Env().Undefined();
}

/// An array of words as a program takes them. An exception is pending when an element was no string, or its getter threw.
class Words {
 public:
  explicit Words(const Napi::Array& from);
  std::span<char* const> span() const noexcept { return pointers_; }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;  // into them
};

struct NamedFunction {
  const char* name;
  Napi::Value (*function)(const Napi::CallbackInfo&);
};

/// Adds functions whose callback data is `state`.
void export_functions(Napi::Env env, Napi::Object exports, void* state, std::initializer_list<NamedFunction> functions);
/// The same without the wrapper's cost, for what is called on each turn of a loop.
void export_hot(Napi::Env env, Napi::Object exports, const char* name, napi_callback function, void* state);

/// What a turn of a loop is called with: the hot path, read by the C interface of Node-API.
struct TurnArguments {
  void* data = nullptr;          ///< of the function
  std::uint32_t handle = 0;
  double count = 0;              ///< of what JavaScript hands over
  std::int64_t timeout_ns = -1;  ///< negative: for ever

  /// False after throwing: the count is no integer from 0 to `most`.
  bool within(napi_env env, const char* what, std::uint32_t most) const;
};
/// Reads (handle, count, timeoutUs), where `what` is counted; otherwise throws and returns false.
bool read_turn(napi_env env, napi_callback_info info, const char* what, TurnArguments& given);

struct PollerArea;

/// Adds one area's functions to `exports`.
void export_process(Napi::Env env, Napi::Object exports);
void export_server(Napi::Env env, Napi::Object exports);
void export_completion(Napi::Env env, Napi::Object exports);
void export_sockets(Napi::Env env, Napi::Object exports);
void export_registry(Napi::Env env, Napi::Object exports);
void export_datagram(Napi::Env env, Napi::Object exports);
void export_udp_echo(Napi::Env env, Napi::Object exports);
void export_load(Napi::Env env, Napi::Object exports);
void export_session(Napi::Env env, Napi::Object exports);
void export_quorum(Napi::Env env, Napi::Object exports);
void export_sealing(Napi::Env env, Napi::Object exports);
PollerArea& export_poller(Napi::Env env, Napi::Object exports);
void export_cost(Napi::Env env, Napi::Object exports, const PollerArea& pollers);

}  // namespace addon
