// dispatchbench-evhttp: the server of the thesis on event dispatching, HTTP on libevent's evhttp, with the mechanism chosen at
// run time by avoiding all others. It takes part as somebody else's server:
//   dispatchbench run idle-connections --server 'build/Release/dispatchbench-evhttp --backend epoll --port {port}'
// Answers every request as our servers do, says on one line of stdout where it listens, and ends by SIGTERM or SIGINT.
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/socket.h"
#include "peers/libevent_base.h"
#include "process/arguments.h"
#include "process/json_line.h"
#include "process/usage.h"

namespace {

struct Options {
  std::string backend;
  std::uint32_t port = 0;
  std::uint32_t backlog = 4096;
};

constexpr std::string_view kBody = "dispatchbench\n";

void answer(evhttp_request* request, void*) {
  evkeyvalq* const headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type", "text/plain");
  evbuffer_add_reference(evhttp_request_get_output_buffer(request), kBody.data(), kBody.size(), nullptr, nullptr);
  evhttp_send_reply(request, HTTP_OK, nullptr, nullptr);
}

std::string run(std::span<char* const> arguments) {
  Options options;
  process::Arguments known;
  known.text("--backend", options.backend);
  known.number("--port", 0, 65535, options.port);
  known.number("--backlog", 1, 1'000'000, options.backlog);
  if (std::string fault = known.read(arguments); !fault.empty()) return fault;
  if (options.backend.empty()) return "--backend is missing: there is no default mechanism";

  process::raise_descriptor_limit();
  const peers::LibeventBase base(options.backend.c_str());
  if (base.get() == nullptr) return base.refusal(options.backend);
  net::Address address;
  net::parse_address("127.0.0.1", static_cast<std::uint16_t>(options.port), address);
  const int listener = net::listen_tcp(address, static_cast<int>(options.backlog));
  if (listener < 0) return net::listen_refusal(address, -listener);

  const std::unique_ptr<evhttp, decltype(&evhttp_free)> http(evhttp_new(base.get()), evhttp_free);
  // By itself it closes what was idle for 50 s; idle connections are what is measured.
  evhttp_set_timeout(http.get(), 86'400);
  evhttp_set_gencb(http.get(), answer, nullptr);
  if (evhttp_accept_socket(http.get(), listener) != 0) return "evhttp does not take the listening socket";
  const auto end = [](evutil_socket_t, short, void* of) { event_base_loopbreak(static_cast<event_base*>(of)); };
  const std::unique_ptr<event, decltype(&event_free)> signals[] = {
      {evsignal_new(base.get(), SIGTERM, end, base.get()), event_free},
      {evsignal_new(base.get(), SIGINT, end, base.get()), event_free}};
  for (const auto& one : signals) event_add(one.get(), nullptr);

  process::print_line(process::JsonLine()
                          .string("event", "listening")
                          .string("backend", event_base_get_method(base.get()))
                          .number("port", net::local_address(listener).port())
                          .string("libevent", event_get_version())
                          .text());
  return event_base_dispatch(base.get()) < 0 ? "the loop failed" : "";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string fault = run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (fault.empty()) return 0;
  std::fprintf(stderr, "dispatchbench-evhttp: %s\n", fault.c_str());
  return 1;
}
