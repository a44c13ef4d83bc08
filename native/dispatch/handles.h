// Whether a handle is open: asked when it is registered, and of each when a call fails for one of them.
#pragma once

#ifdef _WIN32
#include <winsock2.h>
#else
#include <fcntl.h>
#endif

#include "dispatch/event.h"

namespace dispatch {

inline bool is_open(Handle handle) noexcept {
#ifdef _WIN32
  int type = 0;
  int size = sizeof(type);
  return ::getsockopt(handle, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &size) == 0;
#else
  return ::fcntl(handle, F_GETFD) != -1;
#endif
}

}  // namespace dispatch
