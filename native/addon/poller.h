// Pollers as JavaScript holds them: a handle, and one ArrayBuffer through which a whole loop turn passes.
#pragma once

#include <memory>

#include "addon/environment.h"
#include "addon/shared_buffer.h"
#include "dispatch/poller.h"

namespace addon {

/// Words at the start of the buffer, written by every turn. Mirrored in src/dispatch/layout.ts.
enum StatusWord : int {
  status_count,          ///< rows in the events
  status_saturated,      ///< 1: the events were filled, more may be ready
  status_interrupted,    ///< 1: a signal ended the wait
  status_error,          ///< errno of the wait, 0 when it succeeded
  status_change_errors,  ///< changes whose result is not 0
  status_forgotten,      ///< registrations ended since the turn: when 0, no row of the batch can be stale
  kStatusWords = 8,
};

inline constexpr int kEventWords = sizeof(dispatch::Event) / sizeof(std::int32_t);

/// One row of changes: what JavaScript wants of a registration, and the errno (or 0) of the attempt.
struct Change {
  std::int32_t slot;
  std::int32_t wanted;  ///< an Interest, or kRearm
  std::int32_t result;
};
inline constexpr int kChangeWords = sizeof(Change) / sizeof(std::int32_t);
inline constexpr std::int32_t kRearm = 4;

/// A poller and its buffer: status words, then rows of events, then rows of changes.
struct PollerFace {
  std::unique_ptr<dispatch::Poller> poller;
  SharedBuffer buffer;
  int max_events = 0;
  int max_changes = 0;

  static std::size_t bytes(int max_events, int max_changes) noexcept {
    return kStatusWords * sizeof(std::int32_t) + static_cast<std::size_t>(max_events) * sizeof(dispatch::Event) +
           static_cast<std::size_t>(max_changes) * sizeof(Change);
  }
  std::int32_t* status() const noexcept { return reinterpret_cast<std::int32_t*>(buffer.data()); }
  dispatch::Event* events() const noexcept { return reinterpret_cast<dispatch::Event*>(status() + kStatusWords); }
  Change* changes() const noexcept { return reinterpret_cast<Change*>(events() + max_events); }

  /// Poller::forget, and tells JavaScript that rows of the present batch may have become stale. Requires an attached
  /// buffer. Every area ends registrations through this.
  int forget(dispatch::Slot slot) noexcept {
    const int error = poller->forget(slot);
    if (error == 0) ++status()[status_forgotten];
    return error;
  }
};

/// The capabilities as src/contract/server.ts spells them.
Napi::Object capabilities_object(Napi::Env env, const dispatch::Capabilities& capabilities);

/// Fills the BigUint64Array of argument 1; throws and returns false when it is none, or too short.
bool fill_counters(const Napi::CallbackInfo& info, const dispatch::Counters& counters);

/// The pollers of one environment.
struct PollerArea {
  Handles<PollerFace> pollers;

  /// The poller behind `handle`, ready for use; otherwise throws (closed or unknown handle, detached buffer) and
  /// returns null.
  PollerFace* use(napi_env env, std::uint32_t handle) const;
};

}  // namespace addon
