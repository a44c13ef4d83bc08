// What the servers on other people's loops have in common: their command line, their listening socket, the line that says
// where they listen and with what they wait. They speak no server contract; dispatchbench-foreign accounts for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/socket.h"
#include "process/arguments.h"
#include "process/json_line.h"

namespace programs {

struct Serving {
  std::string backend;  ///< by the library's own name for it
  std::size_t protocol = 0;  ///< its place among those that the program speaks
  std::string host = "127.0.0.1";
  std::uint32_t port = 0;
  std::uint32_t backlog = 4096;
  bool expose = false;  ///< allows an address that is not loopback
  net::Address address = {};  ///< host and port

  /// Reads `arguments` (without the program's name). Returns one sentence on what is wrong, empty when nothing is.
  std::string read(std::span<char* const> arguments, std::vector<std::string_view> protocols) {
    process::Arguments known;
    known.choice("--protocol", std::move(protocols), protocol);
    known.text("--backend", backend);
    known.text("--address", host);
    known.number("--port", 0, 65535, port);
    known.number("--backlog", 1, 65535, backlog);
    known.flag("--expose", expose);
    if (std::string fault = known.read(arguments); !fault.empty()) return fault;
    if (backend.empty()) return "--backend is missing: there is no default mechanism";
    if (!net::parse_address(host, static_cast<std::uint16_t>(port), address)) {
      return "--address must be a numeric IPv4 or IPv6 address, not '" + host + "'";
    }
    if (address.loopback() || expose) return "";
    return "address " + host + " is not loopback: give --expose as well if other machines may reach this server";
  }

  /// Opens the listening socket. Returns one sentence on what failed.
  std::string listen(int& listener) const {
    listener = net::listen_tcp(address, static_cast<int>(backlog));
    return listener < 0 ? net::listen_refusal(address, -listener) : "";
  }
};

/// The line that the contract calls peerListening. `waits_with`: what the library says that it does.
inline void say_listening(int listener, std::string_view waits_with, std::string_view library, std::string_view version) {
  process::print_line(process::JsonLine()
                          .string("event", "listening")
                          .string("backend", waits_with)
                          .number("port", net::local_address(listener).port())
                          .object("versions", process::JsonLine().string(library, version))
                          .text());
}

/// Of main(): one sentence and exit code 1 on failure.
inline int ended(const char* name, const std::string& fault) {
  if (fault.empty()) return 0;
  std::fprintf(stderr, "%s: %s\n", name, fault.c_str());
  return 1;
}

}  // namespace programs
