// The command line of every native server program; servers/options.ts takes the same names.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "net/allow_list.h"
#include "net/socket.h"
#include "net/statistics.h"

namespace net {

struct Options {
  std::string protocol = "tcp-echo";
  std::string backend;
  Address address;               ///< loopback unless `expose` is given
  std::uint16_t ports = 1;       ///< UDP: consecutive ports from address.port() on
  std::vector<int> cpus;         ///< empty: wherever the system lets it run
  bool control = false;          ///< stdin is the control channel
  bool expose = false;           ///< allows an address that is not loopback
  AllowList allowed;             ///< UDP: senders to answer; empty on loopback: all
  int receive_buffer = 0;        ///< UDP: SO_RCVBUF in bytes; 0: the system's default
  std::uint32_t max_connections = UINT32_MAX;
  std::int32_t backlog = 4096;
  Budgets budgets;
};

/// Reads `arguments` (without the program's name). Returns one sentence on what is wrong, empty when nothing is.
std::string parse_options(std::span<char* const> arguments, Options& options);

}  // namespace net
