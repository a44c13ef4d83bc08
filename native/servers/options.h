// The command line of every native server program. The list of options is here and in src/contract/server-options.ts;
// loading the addon fails when the two differ.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/allow_list.h"
#include "net/socket.h"
#include "servers/statistics.h"

namespace servers {

struct Options {
  std::string protocol = "tcp-echo";
  std::string backend;               ///< with an engine: its name
  std::string engine;                ///< of completions, in the place of a backend; empty: none
  std::string engine_options;        ///< see completion/tuning.h
  std::uint32_t workers = 1;         ///< TCP: threads that serve; see workers.h
  std::uint32_t busy_poll = 0;       ///< TCP: microseconds that waits ask the network card; 0: they sleep
  std::uint32_t least_wait = 0;      ///< microseconds that each wait lasts at least, see dispatch/poller.h; 0: none
  std::string accept;                ///< how workers share what is to be accepted: a word of kAcceptSharing; one has none
  std::string host = "127.0.0.1";  ///< numeric; loopback unless `expose` is given
  std::uint32_t port = 0;
  std::uint32_t ports = 1;           ///< UDP: consecutive ports from `port` on
  std::vector<int> cpus;             ///< empty: wherever the system lets it run
  bool control = false;              ///< stdin is the control channel
  bool expose = false;               ///< allows an address that is not loopback
  net::AllowList allowed;            ///< UDP: senders to answer; empty on loopback: all
  std::uint32_t backlog = 4096;      ///< TCP: connections that may wait to be accepted
  std::uint32_t receive_buffer = 0;  ///< UDP: SO_RCVBUF in bytes; 0: the system's default
  std::uint32_t max_connections = UINT32_MAX;
  Budgets budgets;
  net::Address address;              ///< host and port; set when all options have been read
};

/// How workers share what is to be accepted: one listening socket that wakes one of them, a listening socket for each, or
/// one that wakes them all.
inline constexpr std::string_view kAcceptSharing[] = {"exclusive", "reuseport", "shared"};

/// One option: a switch, a number within bounds, or a text that is read by a function of its own.
struct Option {
  std::string_view name;                                              ///< without the dashes
  bool& (*flag)(Options&) = nullptr;                                  ///< of a switch
  std::uint32_t& (*number)(Options&) = nullptr;                       ///< of a number
  std::uint32_t low = 0, high = 0;                                    ///< its bounds
  std::string (*read)(Options&, const std::string& value) = nullptr;  ///< returns a sentence on what is wrong
};
std::span<const Option> options() noexcept;

/// Reads `arguments` (without the program's name). Returns one sentence on what is wrong, empty when nothing is.
std::string parse_options(std::span<char* const> arguments, Options& options);

}  // namespace servers
