// A libevent base on the one method that was asked for: all others are avoided, as the thesis on event dispatching did.
#pragma once

#include <event2/event.h>

#include <string>

namespace peers {

class LibeventBase {
 public:
  explicit LibeventBase(const char* method) {
    event_config* const config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    for (const char** other = event_get_supported_methods(); *other != nullptr; ++other) {
      if (std::string(*other) != method) event_config_avoid_method(config, *other);
    }
    base_ = event_base_new_with_config(config);
    event_config_free(config);
  }
  ~LibeventBase() {
    if (base_ != nullptr) event_base_free(base_);
  }
  LibeventBase(const LibeventBase&) = delete;
  LibeventBase& operator=(const LibeventBase&) = delete;

  /// Null when libevent has no such method here.
  event_base* get() const noexcept { return base_; }

  /// One sentence on a method that it has not.
  static std::string refusal(const std::string& method) {
    std::string known;
    for (const char** one = event_get_supported_methods(); *one != nullptr; ++one) {
      known.append(known.empty() ? "" : ", ").append(*one);
    }
    return "libevent has no method '" + method + "' here: it has " + known;
  }

 private:
  event_base* base_ = nullptr;
};

}  // namespace peers
