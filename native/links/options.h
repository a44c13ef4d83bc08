// The command line of dispatchbench-link; src/hosts/relay.ts writes it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "links/line.h"

namespace links {

/// One end of the link.
struct End {
  std::string space;   ///< file of the network namespace, as /proc/PID/ns/net
  std::string device;  ///< name of the TUN device to make there
};

struct Options {
  End client;
  End server;
  Shape up;    ///< from the client to the server
  Shape down;  ///< from the server to the client
  std::uint64_t seed = 1;
  std::vector<int> cpus;  ///< empty: wherever the system lets it run
};

/// Reads `arguments` (without the program's name). Returns one sentence on what is wrong, empty when nothing is.
std::string parse_options(std::span<char* const> arguments, Options& options);

/// Reads shapes from words by the same options, with blanks between them; what is not named stays as it is. As above.
std::string parse_shapes(std::string_view words, Shape& up, Shape& down);

}  // namespace links
