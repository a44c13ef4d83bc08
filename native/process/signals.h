// Signals as a descriptor, because the thread that should hear of them blocks in a poller.
#pragma once

#include <vector>

namespace process {

/// Descriptor that turns readable when one of `signals` arrives (one byte each: the signal's number), or -errno.
/// The handlers stay for the life of the process; a second call returns the same descriptor.
int signal_pipe(const std::vector<int>& signals) noexcept;

}  // namespace process
