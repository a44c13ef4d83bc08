#include "net/options.h"

#include <charconv>
#include <string_view>

namespace net {
namespace {

bool read_number(std::string_view text, std::uint64_t low, std::uint64_t high, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out >= low && out <= high;
}

bool read_cpus(std::string_view text, std::vector<int>& cpus) {
  while (true) {
    const std::size_t comma = text.find(',');
    std::uint64_t cpu = 0;
    if (!read_number(text.substr(0, comma), 0, 1023, cpu)) return false;
    cpus.push_back(static_cast<int>(cpu));
    if (comma == text.npos) return true;
    text.remove_prefix(comma + 1);
  }
}

struct NumberOption {
  std::string_view name;
  std::uint64_t low;
  std::uint64_t high;
  std::uint64_t value;
};

}  // namespace

std::string parse_options(std::span<char* const> arguments, Options& options) {
  std::string host = "127.0.0.1";
  NumberOption numbers[] = {
      {"--port", 0, 65535, 0},
      {"--ports", 1, 65535, options.ports},
      {"--accept-budget", 1, 65536, options.budgets.accept},
      {"--max-events", 1, 65536, options.budgets.max_events},
      {"--datagram-budget", 1, 1024, options.budgets.datagrams},
      {"--receive-buffer", 0, 1 << 30, 0},
      {"--max-connections", 1, UINT32_MAX, options.max_connections},
  };
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string name = arguments[i];
    if (name == "--control" || name == "--expose") {
      (name == "--control" ? options.control : options.expose) = true;
      continue;
    }
    if (i + 1 == arguments.size()) return "option " + name + " is unknown or lacks its value";
    const std::string value = arguments[++i];
    NumberOption* number = nullptr;
    for (NumberOption& candidate : numbers) {
      if (candidate.name == name) number = &candidate;
    }
    if (number != nullptr) {
      if (!read_number(value, number->low, number->high, number->value)) {
        return name + " must be a number from " + std::to_string(number->low) + " to " + std::to_string(number->high) +
               ", not '" + value + "'";
      }
    } else if (name == "--protocol") {
      options.protocol = value;
    } else if (name == "--backend") {
      options.backend = value;
    } else if (name == "--address") {
      host = value;
    } else if (name == "--allow") {
      if (const std::string fault = options.allowed.add(value); !fault.empty()) return fault;
    } else if (name == "--cpu") {
      if (!read_cpus(value, options.cpus)) return "--cpu must be a list of CPU numbers like 0,1, not '" + value + "'";
    } else {
      return "unknown option " + name;
    }
  }
  options.ports = static_cast<std::uint16_t>(numbers[1].value);
  options.budgets.accept = static_cast<std::uint32_t>(numbers[2].value);
  options.budgets.max_events = static_cast<std::uint32_t>(numbers[3].value);
  options.budgets.datagrams = static_cast<std::uint32_t>(numbers[4].value);
  options.receive_buffer = static_cast<int>(numbers[5].value);
  options.max_connections = static_cast<std::uint32_t>(numbers[6].value);
  if (!parse_address(host, static_cast<std::uint16_t>(numbers[0].value), options.address)) {
    return "--address must be a numeric IPv4 or IPv6 address, not '" + host + "'";
  }
  const bool udp = options.protocol == "udp-echo";
  if (udp && !options.address.loopback() && options.allowed.empty()) {
    return "address " + host + " is not loopback, and a UDP echo there could be used to flood others with its replies: " +
           "name the networks it may answer, as in --allow 10.0.0.0/8";
  }
  if (!udp && !options.address.loopback() && !options.expose) {
    return "address " + host + " is not loopback: give --expose as well if other machines may reach this server";
  }
  return "";
}

}  // namespace net
