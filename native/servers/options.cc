#include "servers/options.h"

#include <algorithm>
#include <iterator>

#include "process/arguments.h"

namespace servers {
namespace {

std::string read_cpus(Options& options, const std::string& value) {
  if (process::read_cpus(value, options.cpus)) return "";
  return "--cpu must be a list of CPU numbers like 0,1, not '" + value + "'";
}

template <std::string Options::*text>
std::string keep(Options& options, const std::string& value) {
  options.*text = value;
  return "";
}

template <auto member>
auto& of(Options& options) {
  return options.*member;
}
template <std::uint32_t Budgets::*member>
std::uint32_t& budget(Options& options) {
  return options.budgets.*member;
}

constexpr Option kOptions[] = {
    {.name = "protocol", .read = keep<&Options::protocol>},
    {.name = "backend", .read = keep<&Options::backend>},
    {.name = "engine", .read = keep<&Options::engine>},
    {.name = "address", .read = keep<&Options::host>},
    {.name = "port", .number = of<&Options::port>, .low = 0, .high = 65535},
    {.name = "ports", .number = of<&Options::ports>, .low = 1, .high = 65535},
    {.name = "cpu", .read = read_cpus},
    {.name = "control", .flag = of<&Options::control>},
    {.name = "expose", .flag = of<&Options::expose>},
    {.name = "allow", .read = [](Options& options, const std::string& value) { return options.allowed.add(value); }},
    {.name = "backlog", .number = of<&Options::backlog>, .low = 1, .high = 65535},
    {.name = "accept-budget", .number = budget<&Budgets::accept>, .low = 1, .high = 65536},
    {.name = "datagram-budget", .number = budget<&Budgets::datagrams>, .low = 1, .high = 1024},
    {.name = "receive-buffer", .number = of<&Options::receive_buffer>, .low = 0, .high = 1 << 30},
    {.name = "max-events", .number = budget<&Budgets::max_events>, .low = 1, .high = 65536},
    {.name = "max-connections", .number = of<&Options::max_connections>, .low = 1, .high = UINT32_MAX},
    {.name = "engine-options", .read = keep<&Options::engine_options>},
    {.name = "workers", .number = of<&Options::workers>, .low = 1, .high = 256},
    {.name = "accept", .read = keep<&Options::accept>},
    {.name = "busy-poll", .number = of<&Options::busy_poll>, .low = 0, .high = 1'000'000},
    {.name = "least-wait", .number = of<&Options::least_wait>, .low = 0, .high = 1'000'000},
};

const Option* find(std::string_view argument) noexcept {
  for (const Option& option : kOptions) {
    if (argument.starts_with("--") && argument.substr(2) == option.name) return &option;
  }
  return nullptr;
}

/// What is wrong with options that are right each for itself; then `address` holds host and port.
std::string settle_address(Options& options) {
  const std::string& host = options.host;
  if (!net::parse_address(host, static_cast<std::uint16_t>(options.port), options.address)) {
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

/// An engine stands in the place of a backend; then `backend` is its name, which is what reports call it.
std::string settle_engine(Options& options) {
  if (options.engine.empty()) return options.engine_options.empty() ? "" : "--engine-options are of an --engine";
  if (!options.backend.empty()) return "--engine stands in the place of --backend: give one of them";
  if (options.least_wait > 0) {
    return "--least-wait is of servers that wait for readiness: an engine has --engine-options batch=N,wait=US";
  }
  if (options.engine != "uring") return "unknown engine '" + options.engine + "': there is uring";
  options.backend = options.engine;
  return "";
}

std::string settle_workers(const Options& options) {
  const bool readiness = options.engine.empty() && options.protocol != "udp-echo";
  if (options.busy_poll > 0 && !readiness) return "--busy-poll is of TCP servers that wait for readiness";
  if (options.workers == 1) return options.accept.empty() ? "" : "--accept is of several --workers";
  if (!readiness) return "--workers are of TCP servers that wait for readiness";
  if (std::find(std::begin(kAcceptSharing), std::end(kAcceptSharing), options.accept) != std::end(kAcceptSharing)) return "";
  return "several --workers take --accept exclusive, reuseport or shared, not '" + options.accept + "'";
}

}  // namespace

std::span<const Option> options() noexcept { return kOptions; }

std::string parse_options(std::span<char* const> arguments, Options& options) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string name = arguments[i];
    const Option* option = find(name);
    if (option == nullptr) return "unknown option " + name;
    if (option->flag != nullptr) {
      option->flag(options) = true;
      continue;
    }
    if (i + 1 == arguments.size()) return "option " + name + " lacks its value";
    const std::string value = arguments[++i];
    if (option->number == nullptr) {
      if (const std::string fault = option->read(options, value); !fault.empty()) return fault;
      continue;
    }
    std::uint64_t number = 0;
    if (!process::read_number(value, option->low, option->high, number)) {
      return name + " must be a number from " + std::to_string(option->low) + " to " + std::to_string(option->high) +
             ", not '" + value + "'";
    }
    option->number(options) = static_cast<std::uint32_t>(number);
  }
  if (std::string fault = settle_engine(options); !fault.empty()) return fault;
  if (std::string fault = settle_workers(options); !fault.empty()) return fault;
  return settle_address(options);
}

}  // namespace servers
