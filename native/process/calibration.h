// Fixed pieces of work whose time tells of the machine, not of what runs on it: when one changes, the machine did. The
// piece that crosses sockets is net/ping_pong.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "process/clock.h"

namespace process {

/// Time that a fixed arithmetic loop of `rounds` takes now: one chain of dependent steps, so the CPU's clock rate alone.
Nanoseconds calibration_spin(std::uint32_t rounds) noexcept;

/// Nanoseconds of one load in a walk over `bytes` of memory in random order, each address read from the line before: with
/// more than the caches hold, the latency of what lies behind them, which neighbours share. 0 without the memory.
double memory_walk(std::size_t bytes, std::uint32_t steps) noexcept;

/// CPU time of arithmetic that fills a core's units, on CPU `cpu`, while CPU `partner` does the same (-1: nobody). Two CPUs
/// that are threads of one core slow each other down, whether the system tells of it or not; a busy machine does not show,
/// because a thread that waits for its CPU uses none. 0 where a thread cannot be given its CPU.
Nanoseconds paired_spin(std::uint32_t rounds, int cpu, int partner);

}  // namespace process
