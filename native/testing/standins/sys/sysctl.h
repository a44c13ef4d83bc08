// What native/dispatch/ticks.h needs of <sys/sysctl.h>, for the stand-in in native/testing/kqueue.cc. Values: NetBSD's.
#pragma once

#include <cstddef>

#define CTL_KERN 1
#define KERN_CLOCKRATE 12

struct clockinfo {
  int hz;
  int tick;  // microseconds
};

int sysctl(const int* name, unsigned names, void* old, std::size_t* old_size, const void* wanted,
           std::size_t wanted_size) noexcept;
