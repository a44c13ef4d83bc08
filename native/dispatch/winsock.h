// What the backends of Windows share: Winsock begun, its errors as errnos, and a pause.
#pragma once

#ifdef _WIN32
#include <winsock2.h>

#include <cerrno>

namespace dispatch {

/// Begins Winsock, once for the process. Returns 0 or an errno.
inline int begin_winsock() noexcept {
  static const int result = [] {
    WSADATA data;
    return ::WSAStartup(MAKEWORD(2, 2), &data);
  }();
  return result == 0 ? 0 : ENOSYS;
}

inline int errno_of_winsock() noexcept {
  switch (::WSAGetLastError()) {
    case WSAENOTSOCK: return EBADF;
    case WSAEINTR: return EINTR;
    case WSAENOBUFS: return ENOMEM;
    default: return EINVAL;
  }
}

/// Waits for nothing: calls that wait refuse an empty set. @param milliseconds negative: for ever
inline void pause(int milliseconds) noexcept {
  ::Sleep(milliseconds < 0 ? INFINITE : static_cast<DWORD>(milliseconds));
}

}  // namespace dispatch
#endif
