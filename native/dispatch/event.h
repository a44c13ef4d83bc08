// The vocabulary of readiness: interest, trigger, token, event. Knows no mechanism and no caller.
#pragma once

#include <cstdint>

namespace dispatch {

/// What the system calls an open socket or file. Callers own it; a Poller hands out a slot for it.
#ifdef _WIN32
using Handle = std::uintptr_t;  // SOCKET: any number
#else
using Handle = int;  // a descriptor: the lowest number that is free
#endif
inline constexpr Handle kNoHandle = static_cast<Handle>(-1);

/// Small number of a registration, by which tables are indexed; see slots.h.
using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = ~Slot{0};

/// What a caller wants to hear about a handle. A bit mask; `none` means "registered, but silent".
enum class Interest : std::uint8_t { none = 0, read = 1, write = 2, both = 3 };

constexpr bool wants_read(Interest i) noexcept { return (static_cast<unsigned>(i) & 1u) != 0; }
constexpr bool wants_write(Interest i) noexcept { return (static_cast<unsigned>(i) & 2u) != 0; }

/// When a mechanism repeats itself: while ready (level), on change only (edge), or once until re-armed (oneshot).
enum class Trigger : std::uint8_t { level, edge, oneshot };

/// Names a registration for good: the generation changes with every `forget`, so an event that outlived its
/// registration can be told from one that belongs to a slot used again.
struct Token {
  Slot slot;
  std::uint32_t generation;
};

/// Bits of Event::flags. Only readable and writable are promised by every backend; the others are hints.
enum Flag : std::uint32_t {
  readable = 1,
  writable = 2,
  error = 4,         ///< an error is pending on the descriptor (SO_ERROR)
  hangup = 8,        ///< both directions are closed
  read_closed = 16,  ///< the peer will send no more (FIN seen); data may still be unread
  invalid = 32,      ///< the descriptor was closed without forget()
};

static_assert(static_cast<unsigned>(Interest::read) == readable && static_cast<unsigned>(Interest::write) == writable);

/// One ready descriptor. Identical, word for word, to a row of the Int32Array that JavaScript reads.
struct Event {
  Slot slot;
  std::uint32_t generation;
  std::uint32_t flags;
  std::int32_t aux;  ///< mechanism's own detail (kqueue: bytes ready), else 0
};
static_assert(sizeof(Event) == 16, "Event is a row of four 32-bit words");

/// Timeout of a wait in nanoseconds: negative waits for ever, 0 only looks.
using TimeoutNs = std::int64_t;
inline constexpr TimeoutNs kForever = -1;

}  // namespace dispatch
