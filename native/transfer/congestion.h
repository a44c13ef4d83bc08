// Congestion control as it was asked for.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include "net/socket.h"

namespace transfer {

/// An empty name leaves the one of all sockets of the suite. One sentence on why it cannot be had.
inline std::string choose_congestion(int fd, const std::string& name) {
  if (name.empty()) return "";
  const int error = -net::set_congestion_control(fd, name);
  if (error == 0) return "";
  if (error == ENOENT) {
    return "congestion control '" + name +
           "' is not available here: /proc/sys/net/ipv4/tcp_available_congestion_control names those that are";
  }
  return "congestion control '" + name + "' cannot be set: " + std::strerror(error);
}

}  // namespace transfer
