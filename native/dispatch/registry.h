// Every backend the suite knows, whether this system has it or not. There is no default and no fallback.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "dispatch/backend.h"

namespace dispatch {

struct BackendEntry {
  const char* name;       ///< our name: mechanism and trigger, e.g. "epoll-et"
  const char* mechanism;  ///< the operating system's facility, e.g. "epoll"
  Trigger trigger;
  BackendFactory make;         ///< null where this build cannot have it
  const char* absent_because;  ///< why `make` is null: one sentence for a person
  std::string (*reason_of)(int error) = nullptr;  ///< why `make` failed, where an errno does not say enough
  bool probed_apart = false;  ///< its end is felt by the thread that had it: probed by another one
};

struct Probe {
  bool available = false;
  int error = 0;              ///< errno, 0 when available
  std::string reason = {};         ///< why not, for a person; empty when available
  Capabilities capabilities = {};  ///< meaningful only when available
};

std::span<const BackendEntry> backends() noexcept;
const BackendEntry* find_backend(std::string_view name) noexcept;

/// The mechanism that an operating system (its name as uname(2) gives it) was given for many descriptors; libuv runs
/// on it. This build may have no backend for it. poll for systems that have none.
const BackendEntry& own_backend(std::string_view system) noexcept;
/// What clients of ours wait on here: the system's own where this build has it, else poll. It is not what is measured.
const BackendEntry& client_backend() noexcept;

/// Creates the backend and fills in `probe`; null when it is not available.
std::unique_ptr<Backend> create_backend(const BackendEntry& entry, Counters& counters, Probe& probe);

/// Really creates the mechanism once and closes it again.
Probe probe(const BackendEntry& entry);

}  // namespace dispatch
