// Busy polling (--busy-poll): waits that ask the network card for packets instead of sleeping until it interrupts.
#pragma once

#include <string>

#include "dispatch/poller.h"
#include "servers/options.h"

namespace servers {

/// Asks for it where the options do: on the listening socket, from which accepted ones have it, and on the poller where the
/// mechanism takes it. `facts` becomes the JSON object of the hello; it stays empty where nothing was asked for.
/// Returns one sentence when the socket is refused.
std::string poll_busily(dispatch::Poller& poller, int listener, const Options& options, std::string& facts);

}  // namespace servers
