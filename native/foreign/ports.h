// Ports for a command that cannot say which one it took: found free before it starts. Another program may take one in
// between; then the command fails to bind and says so.
#pragma once

#include <string>

#include "foreign/options.h"

namespace foreign {

/// Checks that the ports asked for are free, or with port 0 finds as many consecutive free ones and sets it. Returns one
/// sentence when there are none.
std::string reserve_ports(Options& options);

/// The command serves TCP: a connection to its port could be made. It is closed at once.
bool accepts_connection(const net::Address& address);

}  // namespace foreign
