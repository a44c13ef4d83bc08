#include "foreign/options.h"

#include <string_view>

#include "process/affinity.h"
#include "process/arguments.h"

namespace foreign {
namespace {

void replace_all(std::string& text, std::string_view name, std::string_view value) {
  for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + value.size())) {
    text.replace(at, name.size(), value);
  }
}

}  // namespace

std::string parse_options(std::span<char* const> arguments, Options& options) {
  std::size_t protocol = static_cast<std::size_t>(options.protocol);
  std::size_t accounting = 0;
  std::size_t ready = 0;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::span<char* const> command;
  process::Arguments known;
  known.choice("--protocol", {kProtocolNames[0], kProtocolNames[1], kProtocolNames[2]}, protocol);
  known.text("--address", host);
  known.number("--port", 0, 65535, port);
  known.number("--ports", 1, 65535, options.ports);
  known.choice("--accounting", {kAccountingNames[0], kAccountingNames[1], kAccountingNames[2], kAccountingNames[3]},
               accounting);
  known.cpus("--cpu", options.cpus);
  known.text("--group", options.group);
  known.choice("--ready", {kReadyNames[0], kReadyNames[1]}, ready);
  known.number("--ready-timeout", 1, 3'600'000, options.ready_timeout_ms);
  known.number("--grace", 0, 60'000, options.grace_ms);
  known.flag("--control", options.control);
  if (std::string fault = known.read(arguments, &command); !fault.empty()) return fault;
  options.protocol = static_cast<Protocol>(protocol);
  options.accounting = static_cast<Accounting>(accounting);
  options.ready = static_cast<Ready>(ready);
  if (!net::parse_address(host, port, options.address)) {
    return "--address must be a numeric IPv4 or IPv6 address, not '" + host + "'";
  }
  if (options.ports > 1 && !options.datagrams()) return "--ports is for udp-echo: other protocols have one port";
  if (port + options.ports - 1 > 65535) {
    return std::to_string(options.ports) + " ports from " + std::to_string(port) + " on go beyond 65535";
  }
  if (command.empty()) return "the command is missing: give it after --, as in -- python3 -m http.server {port}";
  options.command.assign(command.begin(), command.end());
  return "";
}

std::vector<std::string> command_line(const Options& options) {
  std::vector<std::string> line = options.command;
  std::string cpus;
  for (const int cpu : options.cpus.empty() ? process::affinity() : options.cpus) {
    cpus += (cpus.empty() ? "" : ",") + std::to_string(cpu);
  }
  for (std::string& argument : line) {
    replace_all(argument, "{port}", std::to_string(options.address.port()));
    replace_all(argument, "{address}", options.address.host());
    replace_all(argument, "{cpus}", cpus);
  }
  return line;
}

}  // namespace foreign
