// Whether a socket that was accepted polls busily because the one that listens does.
#include "testing/busy_poll.h"

#include <poll.h>
#include <unistd.h>

#include "net/socket.h"

namespace testing {
namespace {

/// busyPoll(microseconds: number) -> [errno of asking, microseconds of the listening socket, of an accepted one]
Napi::Value busy_poll(const Napi::CallbackInfo& info) {
  const int microseconds = info[0].As<Napi::Number>().Int32Value();
  net::Address address;
  net::parse_address("127.0.0.1", 0, address);
  const int listener = net::listen_tcp(address, 1);
  const int refused = -net::poll_busily(listener, microseconds);
  const int client = net::connect_tcp(net::local_address(listener));
  pollfd waiting{listener, POLLIN, 0};
  poll(&waiting, 1, 10'000);
  const int accepted = net::accept_connection(listener);
  Napi::Array told = Napi::Array::New(info.Env(), 3);
  told.Set(0u, refused);
  told.Set(1u, net::busy_poll(listener));
  told.Set(2u, net::busy_poll(accepted));
  for (const int fd : {accepted, client, listener}) close(fd);
  return told;
}

}  // namespace

void export_busy_poll(Napi::Env env, Napi::Object exports) {
  exports.Set("busyPoll", Napi::Function::New(env, busy_poll));
}

}  // namespace testing
