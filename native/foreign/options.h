// The command line of dispatchbench-foreign; src/programs/foreign.ts writes it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "net/socket.h"

namespace foreign {

enum class Protocol : std::uint8_t { tcp_echo, http, udp_echo };
inline constexpr const char* kProtocolNames[] = {"tcp-echo", "http", "udp-echo"};

/// Where CPU times come from; `any` takes the first that can be had. See accounts.h.
enum class Accounting : std::uint8_t { any, cgroup2, cgroup1, rusage };
inline constexpr const char* kAccountingNames[] = {"any", "cgroup2", "cgroup1", "rusage"};

/// When it serves: as soon as a connection to its port is accepted, or only once it has also told a line (output.h),
/// because what accepts there is somebody before it: a container's proxy, a virtual machine's network.
enum class Ready : std::uint8_t { accepts, told };
inline constexpr const char* kReadyNames[] = {"accepts", "told"};

struct Options {
  Protocol protocol = Protocol::http;
  net::Address address;             ///< where the command is to serve; port 0: one that is free
  std::uint16_t ports = 1;          ///< UDP: consecutive ports from address.port() on
  Accounting accounting = Accounting::any;
  std::vector<int> cpus;            ///< of the command; empty: wherever the system lets it run
  bool control = false;             ///< stdin is the control channel
  Ready ready = Ready::accepts;
  std::uint64_t ready_timeout_ms = 10'000;
  std::uint64_t grace_ms = 1'000;   ///< between SIGTERM and SIGKILL
  std::string group;                ///< a control group whose members are the command's, whoever started them; empty: none
  std::vector<std::string> command; ///< {port}, {address} and {cpus} not yet replaced

  bool datagrams() const noexcept { return protocol == Protocol::udp_echo; }
};

/// Reads `arguments` (without the program's name). Returns one sentence on what is wrong, empty when nothing is.
std::string parse_options(std::span<char* const> arguments, Options& options);

/// The command with every {port}, {address} and {cpus} in its arguments replaced. No shell sees it.
std::vector<std::string> command_line(const Options& options);

}  // namespace foreign
