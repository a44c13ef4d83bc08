// What native/dispatch/evport.cc needs of <port.h>, for the stand-in in native/testing/evport.cc: written from
// illumos' port_create(3C), port_associate(3C) and port_get(3C).
#pragma once

#include <cstdint>
#include <ctime>

struct port_event_t {
  int portev_events;
  unsigned short portev_source;
  unsigned short portev_pad;
  std::uintptr_t portev_object;
  void* portev_user;
};

inline constexpr int PORT_SOURCE_FD = 4;

int port_create() noexcept;
int port_associate(int port, int source, std::uintptr_t object, int events, void* user) noexcept;
int port_dissociate(int port, int source, std::uintptr_t object) noexcept;
int port_getn(int port, port_event_t* list, unsigned max, unsigned* count, timespec* timeout) noexcept;
