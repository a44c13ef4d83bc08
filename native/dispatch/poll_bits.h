// poll(2)'s bits, which other mechanisms speak as well, and what they mean here.
#pragma once

#ifdef _WIN32
#include <winsock2.h>
#else
#include <poll.h>
#endif

#include "dispatch/event.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

namespace dispatch {

constexpr short poll_bits(Interest wanted) noexcept {
  unsigned bits = 0;
  if (wants_read(wanted)) bits |= POLLIN | POLLRDHUP;
  if (wants_write(wanted)) bits |= POLLOUT;
  return static_cast<short>(bits);
}

constexpr std::uint32_t flags_of_poll(unsigned revents) noexcept {
  std::uint32_t flags = 0;
  if ((revents & POLLIN) != 0) flags |= readable;
  if ((revents & POLLOUT) != 0) flags |= writable;
  if ((revents & ~static_cast<unsigned>(POLLIN | POLLOUT)) != 0) [[unlikely]] {
    if ((revents & POLLERR) != 0) flags |= error;
    if ((revents & POLLHUP) != 0) flags |= hangup;
    if ((revents & POLLRDHUP) != 0) flags |= read_closed;
    if ((revents & POLLNVAL) != 0) flags |= invalid;
  }
  return flags;
}

}  // namespace dispatch
