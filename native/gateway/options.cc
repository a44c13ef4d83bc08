#include "gateway/options.h"

#include <string_view>

#include "dispatch/registry.h"
#include "process/arguments.h"
#include "servers/server.h"

namespace gateway {
namespace {

/// "127.0.0.1:18081", "[::1]:18081".
bool read_endpoint(std::string_view text, net::Address& address) {
  const std::size_t colon = text.rfind(':');
  std::uint64_t port = 0;
  if (colon == text.npos || !process::read_number(text.substr(colon + 1), 0, 65535, port)) return false;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  return bracketed == (host.find(':') != host.npos) &&
         net::parse_address(host, static_cast<std::uint16_t>(port), address);
}

}  // namespace

std::string parse_options(std::span<char* const> arguments, Options& options) {
  servers::Options& serving = options.serving;
  serving.protocol = "http";
  serving.backlog = 128;
  std::string listen = "127.0.0.1:18081";
  std::string upstream = "127.0.0.1:18080";
  std::uint64_t threads = 1;
  std::uint64_t timeout_ms = 2000;
  std::size_t keep_alive = options.keep_alive ? 1 : 0;
  options.max_iterations = 10'000'000;
  process::Arguments known;
  known.text("--listen", listen);
  known.text("--upstream", upstream);
  known.number("--threads", 1, 1024, threads);
  known.choice("--keep-alive", {"off", "on"}, keep_alive);
  known.number("--backlog", 1, 65535, serving.backlog);
  known.number("--timeout-ms", 1, 3'600'000, timeout_ms);
  known.number("--max-iters", 0, UINT32_MAX, options.max_iterations);
  known.text("--backend", serving.backend);
  known.cpus("--cpu", serving.cpus);
  known.flag("--control", serving.control);
  known.number("--accept-budget", 1, 65536, serving.budgets.accept);
  known.number("--max-events", 1, 65536, serving.budgets.max_events);
  known.number("--max-connections", 1, UINT32_MAX, serving.max_connections);
  if (std::string fault = known.read(arguments); !fault.empty()) return fault;
  if (threads > 1) return "--threads must be 1: this gateway waits for all its connections in one thread";
  if (dispatch::find_backend(serving.backend) == nullptr) return servers::backend_refusal(serving.backend, "");
  if (!read_endpoint(listen, serving.address)) {
    return "--listen must be a numeric address and a port like 127.0.0.1:18081, not '" + listen + "'";
  }
  if (!read_endpoint(upstream, options.upstream) || options.upstream.port() == 0) {
    return "--upstream must be a numeric address and a port like 127.0.0.1:18080, not '" + upstream + "'";
  }
  options.keep_alive = keep_alive == 1;
  options.timeout = static_cast<process::Nanoseconds>(timeout_ms) * process::kMillisecond;
  return "";
}

}  // namespace gateway
