// The dispatch area: open, turn, change, count and close pollers from JavaScript. turn() is the hot path and the only
// call a server needs per loop: it is written against the C interface of Node-API, everything else is for readers
// first.
#include "addon/poller.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

namespace addon {
namespace {

using dispatch::Interest;

/// The poller named by argument 0, or null after throwing.
PollerFace* poller_argument(const Napi::CallbackInfo& info) {
  std::int64_t handle = 0;
  if (!int_argument(info, 0, "handle", 0, 0xffffffff, handle)) return nullptr;
  return static_cast<PollerArea*>(info.Data())->use(info.Env(), static_cast<std::uint32_t>(handle));
}

bool fd_argument(const Napi::CallbackInfo& info, std::size_t index, int& fd) {
  std::int64_t value = 0;
  if (!int_argument(info, index, "fd", -0x80000000LL, 0x7fffffff, value)) return false;
  fd = static_cast<int>(value);
  return true;
}

/// pollerOpen(backend, buffer, maxEvents, maxChanges) -> handle
Napi::Value open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto& area = *static_cast<PollerArea*>(info.Data());
  if (info.Length() < 1 || !info[0].IsString()) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "backend must be a string");
    return env.Undefined();
  }
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  std::int64_t max_events = 0, max_changes = 0;
  if (!int_argument(info, 2, "maxEvents", 1, 1 << 20, max_events)) return env.Undefined();
  if (!int_argument(info, 3, "maxChanges", 0, 1 << 20, max_changes)) return env.Undefined();

  auto face = std::make_unique<PollerFace>();
  face->max_events = static_cast<int>(max_events);
  face->max_changes = static_cast<int>(max_changes);
  if (!face->buffer.attach(env, info[1], PollerFace::bytes(face->max_events, face->max_changes), "buffer")) {
    return env.Undefined();
  }
  dispatch::Probe probe;
  face->poller = dispatch::Poller::open(name, probe);
  if (face->poller == nullptr) {
    const bool known = dispatch::find_backend(name) != nullptr;
    throw_coded(env, known ? "ERR_BACKEND_UNAVAILABLE" : "ERR_UNKNOWN_BACKEND",
                "backend '" + name + "' cannot be opened: " + probe.reason, probe.error);
    return env.Undefined();
  }
  return Napi::Number::New(env, area.pollers.put(std::move(face)));
}

/// pollerClose(handle)
Napi::Value close(const Napi::CallbackInfo& info) {
  std::int64_t handle = 0;
  if (!int_argument(info, 0, "handle", 0, 0xffffffff, handle)) return info.Env().Undefined();
  auto& area = *static_cast<PollerArea*>(info.Data());
  if (area.pollers.take(static_cast<std::uint32_t>(handle)) == nullptr)
    area.use(info.Env(), static_cast<std::uint32_t>(handle));
  return info.Env().Undefined();
}

/// Applies the first `size` changes, leaves an errno or 0 in each, and counts the failures.
int apply_changes(PollerFace& face, int size) noexcept {
  int errors = 0;
  Change* changes = face.changes();
  for (int i = 0; i < size; ++i) {
    Change& change = changes[i];
    if (change.wanted == kRearm) {
      change.result = face.poller->rearm(change.fd);
    } else if (change.wanted >= 0 && change.wanted <= 3) {
      change.result = face.poller->set(change.fd, static_cast<Interest>(change.wanted));
    } else {
      change.result = EINVAL;
    }
    errors += change.result != 0;
  }
  return errors;
}

/// pollerTurn(handle, changes, timeoutUs) -> events. One crossing per loop turn: applies changes, waits, fills the
/// buffer.
napi_value turn(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  std::size_t length = 3;
  void* data = nullptr;
  napi_get_cb_info(env, info, &length, arguments, nullptr, &data);
  std::uint32_t handle = 0;
  double changes = 0, timeout_us = 0;
  if (napi_get_value_uint32(env, arguments[0], &handle) != napi_ok ||
      napi_get_value_double(env, arguments[1], &changes) != napi_ok ||
      napi_get_value_double(env, arguments[2], &timeout_us) != napi_ok) [[unlikely]] {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "turn takes three numbers: handle, changes, timeoutUs");
    return nullptr;
  }
  PollerFace* face = static_cast<PollerArea*>(data)->use(env, handle);
  if (face == nullptr) [[unlikely]]
    return nullptr;
  if (!(changes >= 0 && changes <= face->max_changes) || std::floor(changes) != changes) [[unlikely]] {
    throw_coded(env, "ERR_OUT_OF_RANGE", "changes must be an integer from 0 to " + std::to_string(face->max_changes));
    return nullptr;
  }
  if (std::isnan(timeout_us)) [[unlikely]] {
    throw_coded(env, "ERR_OUT_OF_RANGE", "timeoutUs must be a number of microseconds, negative to wait for ever");
    return nullptr;
  }

  std::int32_t* status = face->status();
  status[status_change_errors] = apply_changes(*face, static_cast<int>(changes));
  constexpr double kMostUs = 9e15;  // in nanoseconds still an int64
  const dispatch::TimeoutNs timeout =
      timeout_us < 0 ? dispatch::kForever
                     : static_cast<dispatch::TimeoutNs>(std::ceil(std::min(timeout_us, kMostUs) * 1000));
  const dispatch::WaitResult result =
      face->poller->wait({face->events(), static_cast<std::size_t>(face->max_events)}, timeout);
  status[status_count] = result.count;
  status[status_saturated] = result.saturated;
  status[status_interrupted] = result.interrupted;
  status[status_error] = result.error;
  status[status_forgotten] = 0;
  napi_value count = nullptr;
  napi_create_int32(env, result.count, &count);
  return count;
}

/// Reads (handle, fd[, interest]) and applies `change`, which returns an errno; 0 or a thrown error comes back.
template <class Change>
Napi::Value change_one(const Napi::CallbackInfo& info, bool takes_interest, const char* what, Change change) {
  Napi::Env env = info.Env();
  PollerFace* face = poller_argument(info);
  int fd = 0;
  if (face == nullptr || !fd_argument(info, 1, fd)) return env.Undefined();
  std::int64_t interest = 0;
  if (takes_interest && !int_argument(info, 2, "interest", 0, 3, interest)) return env.Undefined();
  if (const int error = change(*face, fd, static_cast<Interest>(interest))) {
    throw_errno(env, error, std::string(what) + " descriptor " + std::to_string(fd));
    return env.Undefined();
  }
  return Napi::Number::New(env, face->poller->generation(fd));
}

/// pollerAdd(handle, fd, interest) -> generation
Napi::Value add(const Napi::CallbackInfo& info) {
  return change_one(info, true, "add", [](PollerFace& f, int fd, Interest i) { return f.poller->add(fd, i); });
}
/// pollerModify(handle, fd, interest) -> generation
Napi::Value modify(const Napi::CallbackInfo& info) {
  return change_one(info, true, "modify", [](PollerFace& f, int fd, Interest i) { return f.poller->modify(fd, i); });
}
/// pollerRearm(handle, fd) -> generation
Napi::Value rearm(const Napi::CallbackInfo& info) {
  return change_one(info, false, "rearm", [](PollerFace& f, int fd, Interest) { return f.poller->rearm(fd); });
}
/// pollerForget(handle, fd) -> generation of the next registration
Napi::Value forget(const Napi::CallbackInfo& info) {
  return change_one(info, false, "forget", [](PollerFace& f, int fd, Interest) { return f.forget(fd); });
}

/// pollerCurrent(handle, row) -> whether the registration of that row of events still stands
Napi::Value current(const Napi::CallbackInfo& info) {
  PollerFace* face = poller_argument(info);
  std::int64_t row = 0;
  if (face == nullptr || !int_argument(info, 1, "row", 0, face->max_events - 1, row)) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), face->poller->current(face->events()[row]));
}

/// pollerCounters(handle, BigUint64Array) fills the array in the order of dispatch::Counters
Napi::Value counters(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  PollerFace* face = poller_argument(info);
  if (face == nullptr) return env.Undefined();
  const bool fits = info.Length() > 1 && info[1].IsTypedArray() &&
                    info[1].As<Napi::TypedArray>().TypedArrayType() == napi_biguint64_array &&
                    info[1].As<Napi::TypedArray>().ElementLength() >= dispatch::kCounterWords;
  if (!fits) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE",
                "counters takes a BigUint64Array of " + std::to_string(dispatch::kCounterWords) + " elements");
    return env.Undefined();
  }
  const dispatch::Counters& from = face->poller->counters();
  std::memcpy(info[1].As<Napi::BigUint64Array>().Data(), &from, sizeof(from));
  return env.Undefined();
}

/// pollerCapabilities(handle) -> capabilities of its backend
Napi::Value capabilities(const Napi::CallbackInfo& info) {
  PollerFace* face = poller_argument(info);
  if (face == nullptr) return info.Env().Undefined();
  return capabilities_object(info.Env(), face->poller->capabilities());
}

}  // namespace

PollerFace* PollerArea::use(napi_env env, std::uint32_t handle) const {
  PollerFace* face = pollers.get(handle);
  if (face == nullptr) [[unlikely]] {
    throw_coded(env, "ERR_CLOSED_HANDLE", "the poller is closed, or belongs to another environment");
    return nullptr;
  }
  if (!face->buffer.attached()) [[unlikely]] {
    throw_coded(env, "ERR_DETACHED_BUFFER", "the poller's buffer has been detached");
    return nullptr;
  }
  return face;
}

PollerArea& export_poller(Napi::Env env, Napi::Object exports) {
  auto& area = make_state<PollerArea>(env);
  export_functions(env, exports, &area,
                   {{"pollerOpen", open},
                    {"pollerClose", close},
                    {"pollerAdd", add},
                    {"pollerModify", modify},
                    {"pollerRearm", rearm},
                    {"pollerForget", forget},
                    {"pollerCurrent", current},
                    {"pollerCounters", counters},
                    {"pollerCapabilities", capabilities}});
  export_hot(env, exports, "pollerTurn", turn, &area);
  return area;
}

}  // namespace addon
