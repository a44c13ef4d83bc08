// The dispatch area: open, turn, change, count and close pollers from JavaScript. turn() is the hot path and the only
// call a server needs per loop: it is written against the C interface of Node-API, everything else is for readers
// first.
#include "addon/poller.h"

#include <cerrno>

namespace addon {
namespace {

using dispatch::Interest;
using dispatch::Slot;

/// The poller named by argument 0, or null after throwing.
PollerFace* poller_argument(const Napi::CallbackInfo& info) {
  std::int64_t handle = 0;
  if (!int_argument(info, 0, "handle", 0, 0xffffffff, handle)) return nullptr;
  return static_cast<PollerArea*>(info.Data())->use(info.Env(), static_cast<std::uint32_t>(handle));
}

/// A slot or descriptor as JavaScript gives it: a number that may be wrong, which the poller says.
bool number_argument(const Napi::CallbackInfo& info, const char* name, std::int32_t& number) {
  std::int64_t value = 0;
  if (!int_argument(info, 1, name, -0x80000000LL, 0x7fffffff, value)) return false;
  number = static_cast<std::int32_t>(value);
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

/// pollerWaitAtLeast(handle, microseconds): of each turn that may wait, a second at most; 0: it looks at once
Napi::Value wait_at_least(const Napi::CallbackInfo& info) {
  PollerFace* face = poller_argument(info);
  std::int64_t microseconds = 0;
  if (face != nullptr && int_argument(info, 1, "microseconds", 0, 1'000'000, microseconds)) {
    face->poller->wait_at_least(static_cast<std::uint32_t>(microseconds));
  }
  return info.Env().Undefined();
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

/// Returns an errno or 0.
int apply(dispatch::Poller& poller, const Change& change) noexcept {
  const auto slot = static_cast<Slot>(change.slot);
  if (change.wanted == kRearm) return poller.rearm(slot);
  if (change.wanted < 0 || change.wanted > 3) return EINVAL;
  return poller.modify(slot, static_cast<Interest>(change.wanted));
}

/// Applies the first `size` changes, leaves an errno or 0 in each, and counts the failures.
int apply_changes(PollerFace& face, int size) noexcept {
  int errors = 0;
  Change* changes = face.changes();
  for (int i = 0; i < size; ++i) {
    changes[i].result = apply(*face.poller, changes[i]);
    errors += changes[i].result != 0;
  }
  return errors;
}

/// pollerTurn(handle, changes, timeoutUs) -> events. One crossing per loop turn: applies changes, waits, fills the
/// buffer.
napi_value turn(napi_env env, napi_callback_info info) {
  TurnArguments given;
  if (!read_turn(env, info, "changes", given)) [[unlikely]] return nullptr;
  PollerFace* face = static_cast<PollerArea*>(given.data)->use(env, given.handle);
  if (face == nullptr || !given.within(env, "changes", face->max_changes)) [[unlikely]] return nullptr;

  std::int32_t* status = face->status();
  status[status_change_errors] = apply_changes(*face, static_cast<int>(given.count));
  const dispatch::WaitResult result =
      face->poller->wait({face->events(), static_cast<std::size_t>(face->max_events)}, given.timeout_ns);
  status[status_count] = result.count;
  status[status_saturated] = result.saturated;
  status[status_interrupted] = result.interrupted;
  status[status_error] = result.error;
  status[status_forgotten] = 0;
  napi_value count = nullptr;
  napi_create_int32(env, result.count, &count);
  return count;
}

/// Throws what a change came to, or returns `result`.
Napi::Value outcome(Napi::Env env, int error, const char* what, std::int32_t number, std::uint32_t result) {
  if (error == 0) return Napi::Number::New(env, result);
  throw_errno(env, error, std::string(what) + std::to_string(number));
  return env.Undefined();
}

/// pollerAdd(handle, fd, interest) -> slot
Napi::Value add(const Napi::CallbackInfo& info) {
  PollerFace* face = poller_argument(info);
  std::int32_t fd = 0;
  std::int64_t interest = 0;
  if (face == nullptr || !number_argument(info, "fd", fd) || !int_argument(info, 2, "interest", 0, 3, interest)) {
    return info.Env().Undefined();
  }
  Slot slot = dispatch::kNoSlot;
  const int error = face->poller->add(fd, static_cast<Interest>(interest), slot);
  return outcome(info.Env(), error, "add descriptor ", fd, slot);
}

/// Reads (handle, slot[, interest]) and applies `change`, which returns an errno.
template <class Change>
Napi::Value change_one(const Napi::CallbackInfo& info, bool takes_interest, const char* what, Change change) {
  PollerFace* face = poller_argument(info);
  std::int32_t slot = 0;
  std::int64_t interest = 0;
  if (face == nullptr || !number_argument(info, "slot", slot) ||
      (takes_interest && !int_argument(info, 2, "interest", 0, 3, interest))) {
    return info.Env().Undefined();
  }
  const int error = change(*face, static_cast<Slot>(slot), static_cast<Interest>(interest));
  return outcome(info.Env(), error, what, slot, face->poller->generation(static_cast<Slot>(slot)));
}

/// pollerModify(handle, slot, interest) -> generation
Napi::Value modify(const Napi::CallbackInfo& info) {
  const auto change = [](PollerFace& f, Slot slot, Interest wanted) { return f.poller->modify(slot, wanted); };
  return change_one(info, true, "modify slot ", change);
}
/// pollerRearm(handle, slot) -> generation
Napi::Value rearm(const Napi::CallbackInfo& info) {
  return change_one(info, false, "rearm slot ", [](PollerFace& f, Slot s, Interest) { return f.poller->rearm(s); });
}
/// pollerForget(handle, slot) -> generation of the next registration
Napi::Value forget(const Napi::CallbackInfo& info) {
  return change_one(info, false, "forget slot ", [](PollerFace& f, Slot s, Interest) { return f.forget(s); });
}

/// pollerCurrent(handle, row) -> whether the registration of that row of events still stands
Napi::Value current(const Napi::CallbackInfo& info) {
  PollerFace* face = poller_argument(info);
  std::int64_t row = 0;
  if (face == nullptr || !int_argument(info, 1, "row", 0, face->max_events - 1, row)) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), face->poller->current(face->events()[row]));
}

/// pollerCounters(handle, BigUint64Array) fills the array in the order of layout().counters
Napi::Value counters(const Napi::CallbackInfo& info) {
  PollerFace* face = poller_argument(info);
  if (face != nullptr) fill_counters(info, face->poller->counters());
  return info.Env().Undefined();
}

/// pollerCapabilities(handle) -> capabilities of its backend
Napi::Value capabilities(const Napi::CallbackInfo& info) {
  PollerFace* face = poller_argument(info);
  if (face == nullptr) return info.Env().Undefined();
  return capabilities_object(info.Env(), face->poller->capabilities());
}

}  // namespace

bool fill_counters(const Napi::CallbackInfo& info, const dispatch::Counters& counters) {
  const bool fits = info.Length() > 1 && info[1].IsTypedArray() &&
                    info[1].As<Napi::TypedArray>().TypedArrayType() == napi_biguint64_array &&
                    info[1].As<Napi::TypedArray>().ElementLength() >= dispatch::kCounters;
  if (!fits) {
    throw_coded(info.Env(), "ERR_INVALID_ARG_TYPE",
                "counters takes a BigUint64Array of " + std::to_string(dispatch::kCounters) + " elements");
    return false;
  }
  std::uint64_t* to = info[1].As<Napi::BigUint64Array>().Data();
  each_field(counters, [&to](const char*, std::uint64_t value) { *to++ = value; });
  return true;
}

PollerFace* PollerArea::use(napi_env env, std::uint32_t handle) const {
  PollerFace* face = pollers.get(handle);
  if (face == nullptr) [[unlikely]] {
    throw_coded(env, "ERR_CLOSED_HANDLE", "the poller is closed, or belongs to another environment");
    return nullptr;
  }
  if (!face->buffer.attached()) [[unlikely]] {
    throw_coded(env, "ERR_DETACHED_BUFFER", "the poller's buffer has been detached or shrunk");
    return nullptr;
  }
  return face;
}

PollerArea& export_poller(Napi::Env env, Napi::Object exports) {
  auto& area = make_state<PollerArea>(env);
  export_functions(env, exports, &area,
                   {{"pollerOpen", open},
                    {"pollerWaitAtLeast", wait_at_least},
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
