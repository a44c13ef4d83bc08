// dispatchbench-evhttp: the server of the thesis on event dispatching, HTTP on libevent's evhttp, with the mechanism chosen at
// run time by avoiding all others. `--impl libevent` of an experiment measures it. Answers every request as our servers do,
// and ends by SIGTERM or SIGINT.
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/resource.h>
#include <sys/select.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "peers/libevent_base.h"
#include "process/usage.h"
#include "programs/peers/serving.h"

namespace {

constexpr std::string_view kBody = "dispatchbench\n";

void answer(evhttp_request* request, void*) {
  evkeyvalq* const headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type", "text/plain");
  evbuffer_add_reference(evhttp_request_get_output_buffer(request), kBody.data(), kBody.size(), nullptr, nullptr);
  evhttp_send_reply(request, HTTP_OK, nullptr, nullptr);
}

/// libevent's sets for select are as long as they must be, but a fortified build ends the process at FD_SETSIZE: then the
/// system refuses the descriptor, which can be told.
void limit_descriptors(const std::string& backend) {
  process::raise_descriptor_limit();
  rlimit limit{};
  if (backend != "select" || getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= FD_SETSIZE) return;
  limit.rlim_cur = FD_SETSIZE;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// Why it ended by itself; empty: nobody made it.
std::string failure;

void on_accept_error(evconnlistener* listener, void*) {
  const int error = errno;
  failure = error == EMFILE ? "no descriptor is left for a connection (select has those below " +
                                  std::to_string(FD_SETSIZE) + ", the others what ulimit -n says)"
                            : "accept failed: " + std::string(std::strerror(error));
  event_base_loopbreak(evconnlistener_get_base(listener));
}

std::string run(std::span<char* const> arguments) {
  programs::Serving serving;
  if (std::string fault = serving.read(arguments, {"http"}); !fault.empty()) return fault;
  const peers::LibeventBase base(serving.backend.c_str());
  if (base.get() == nullptr) return base.refusal(serving.backend);
  limit_descriptors(serving.backend);
  int listener = -1;
  if (std::string fault = serving.listen(listener); !fault.empty()) return fault;

  const std::unique_ptr<evhttp, decltype(&evhttp_free)> http(evhttp_new(base.get()), evhttp_free);
  // By itself it closes what was idle for 50 s; idle connections are what is measured.
  evhttp_set_timeout(http.get(), 86'400);
  evhttp_set_gencb(http.get(), answer, nullptr);
  evhttp_bound_socket* const bound = evhttp_accept_socket_with_handle(http.get(), listener);
  if (bound == nullptr) return "evhttp does not take the listening socket";
  evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(bound), on_accept_error);
  const auto end = [](evutil_socket_t, short, void* of) { event_base_loopbreak(static_cast<event_base*>(of)); };
  const std::unique_ptr<event, decltype(&event_free)> signals[] = {
      {evsignal_new(base.get(), SIGTERM, end, base.get()), event_free},
      {evsignal_new(base.get(), SIGINT, end, base.get()), event_free}};
  for (const auto& one : signals) event_add(one.get(), nullptr);

  programs::say_listening(listener, event_base_get_method(base.get()), "libevent", event_get_version());
  return event_base_dispatch(base.get()) < 0 ? "the loop failed" : failure;
}

}  // namespace

int main(int argc, char** argv) {
  return programs::ended("dispatchbench-evhttp", run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1)));
}
