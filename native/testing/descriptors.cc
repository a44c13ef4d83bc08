// Descriptors that tests need and JavaScript cannot make: pairs, duplicates, half-closed and reset connections.
// An addon of its own, so that the product carries no test code. Functions throw the errno's name; all descriptors they
// return are non-blocking and close-on-exec. Reading, writing and closing is node:fs's business.
#include <arpa/inet.h>
#include <fcntl.h>
#include <napi.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "testing/busy_poll.h"
#include "testing/digests.h"
#include "testing/links.h"
#include "testing/load.h"
#include "testing/transfer.h"
#include "testing/uring.h"

namespace {

Napi::Value fail(Napi::Env env, const char* what) {
  Napi::Error::New(env, std::string(what) + ": " + std::strerror(errno)).ThrowAsJavaScriptException();
  return env.Undefined();
}

int prepare(int fd) noexcept {
  if (fd >= 0) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  }
  return fd;
}

Napi::Value pair(Napi::Env env, int first, int second) {
  Napi::Array out = Napi::Array::New(env, 2);
  out.Set(0u, prepare(first));
  out.Set(1u, prepare(second));
  return out;
}

/// socketPair() -> [a, b]: connected Unix stream sockets
Napi::Value socket_pair(const Napi::CallbackInfo& info) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return fail(info.Env(), "socketpair");
  return pair(info.Env(), ends[0], ends[1]);
}

/// pipe() -> [read end, write end]
Napi::Value pipe_pair(const Napi::CallbackInfo& info) {
  int ends[2];
  if (::pipe(ends) != 0) return fail(info.Env(), "pipe");
  return pair(info.Env(), ends[0], ends[1]);
}

/// A TCP socket bound to a free loopback port, and that address.
int bound_socket(sockaddr_in& address) noexcept {
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return -1;
  }
  return fd;
}

/// tcpPair() -> [client, server]: a connection over loopback
Napi::Value tcp_pair(const Napi::CallbackInfo& info) {
  sockaddr_in address;
  const int listener = bound_socket(address);
  if (listener < 0 || ::listen(listener, 1) != 0) return fail(info.Env(), "listen");
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    return fail(info.Env(), "connect");
  const int server = ::accept(listener, nullptr, nullptr);
  if (server < 0) return fail(info.Env(), "accept");
  ::close(listener);
  return pair(info.Env(), client, server);
}

/// refusedConnect() -> a socket whose connection to a port nobody listens on has been started
Napi::Value refused_connect(const Napi::CallbackInfo& info) {
  sockaddr_in address;
  // Not held while connecting: NetBSD answers nothing for a port that is bound without a listener.
  const int holder = bound_socket(address);
  if (holder < 0) return fail(info.Env(), "bind");
  ::close(holder);
  const int client = prepare(::socket(AF_INET, SOCK_STREAM, 0));
  if (::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 || errno != EINPROGRESS) {
    return fail(info.Env(), "connect");
  }
  return Napi::Number::New(info.Env(), client);
}

/// duplicate(fd, lowest) -> a duplicate numbered `lowest` or more
Napi::Value duplicate(const Napi::CallbackInfo& info) {
  const int copy = ::fcntl(info[0].ToNumber().Int32Value(), F_DUPFD_CLOEXEC, info[1].ToNumber().Int32Value());
  return copy < 0 ? fail(info.Env(), "F_DUPFD") : Napi::Number::New(info.Env(), copy);
}

/// endWriting(fd): FIN
Napi::Value end_writing(const Napi::CallbackInfo& info) {
  if (::shutdown(info[0].ToNumber().Int32Value(), SHUT_WR) != 0) return fail(info.Env(), "shutdown");
  return info.Env().Undefined();
}

/// reset(fd): closes with RST instead of FIN
Napi::Value reset(const Napi::CallbackInfo& info) {
  const int fd = info[0].ToNumber().Int32Value();
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  if (::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) != 0) return fail(info.Env(), "SO_LINGER");
  ::close(fd);
  return info.Env().Undefined();
}

/// forgeDatagram(source, target, text): a datagram over loopback with any source port. Needs the right to raw sockets.
Napi::Value forge_datagram(const Napi::CallbackInfo& info) {
  const auto port = [&info](std::size_t index) {
    return htons(static_cast<std::uint16_t>(info[index].ToNumber().Uint32Value()));
  };
  const std::string text = info[2].ToString().Utf8Value();
  // Source, target, length, and a checksum of 0 for none.
  const std::uint16_t header[4] = {port(0), port(1), htons(static_cast<std::uint16_t>(8 + text.size())), 0};
  std::string datagram(reinterpret_cast<const char*>(header), sizeof header);
  datagram += text;
  sockaddr_in target = {};
  target.sin_family = AF_INET;
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
  if (fd < 0) return fail(info.Env(), "socket");
  const ssize_t sent = ::sendto(fd, datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&target), sizeof target);
  ::close(fd);
  return sent < 0 ? fail(info.Env(), "sendto") : info.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("socketPair", Napi::Function::New(env, socket_pair));
  exports.Set("pipe", Napi::Function::New(env, pipe_pair));
  exports.Set("tcpPair", Napi::Function::New(env, tcp_pair));
  exports.Set("refusedConnect", Napi::Function::New(env, refused_connect));
  exports.Set("duplicate", Napi::Function::New(env, duplicate));
  exports.Set("endWriting", Napi::Function::New(env, end_writing));
  exports.Set("reset", Napi::Function::New(env, reset));
  exports.Set("forgeDatagram", Napi::Function::New(env, forge_datagram));
  testing::export_busy_poll(env, exports);
  testing::export_digests(env, exports);
  testing::export_links(env, exports);
  testing::export_load(env, exports);
  testing::export_transfer(env, exports);
  testing::export_uring(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(dispatchbench_testing, init)
