// Datagram sockets for a server in TypeScript: it waits and decides, the addon receives and replies in batches.
#include <memory>

#include "addon/environment.h"
#include "net/udp_echo.h"

namespace addon {
namespace {

/// A UdpEcho with what it refers to.
struct Desk {
  net::Options options;
  net::Statistics statistics;
  net::UdpEcho echo;
  Desk(net::Options given, bool drains) : options(std::move(given)), echo(options, statistics, drains) {}
};
using Desks = Handles<Desk>;

Desk* desk_argument(const Napi::CallbackInfo& info) {
  std::int64_t handle = 0;
  if (!int_argument(info, 0, "handle", 0, 0xffffffff, handle)) return nullptr;
  Desk* desk = static_cast<Desks*>(info.Data())->get(static_cast<std::uint32_t>(handle));
  if (desk == nullptr) throw_coded(info.Env(), "ERR_CLOSED_HANDLE", "the sockets are closed, or not of this environment");
  return desk;
}

/// udpOpen(arguments, drains) -> handle; the arguments are those of a native udp-echo server; drains: see net::UdpEcho
Napi::Value udp_open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsArray() || !info[1].IsBoolean()) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "arguments must be an array of strings, drains a boolean");
    return env.Undefined();
  }
  const Napi::Array given = info[0].As<Napi::Array>();
  std::vector<std::string> words;
  for (std::uint32_t i = 0; i < given.Length(); ++i) words.push_back(given.Get(i).ToString().Utf8Value());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  net::Options options;
  std::string fault = net::parse_options(pointers, options);
  std::unique_ptr<Desk> desk;
  if (fault.empty()) {
    desk = std::make_unique<Desk>(std::move(options), info[1].As<Napi::Boolean>().Value());
    fault = desk->echo.open();
  }
  if (!fault.empty()) {
    throw_coded(env, "ERR_UDP_OPEN", fault);
    return env.Undefined();
  }
  return Napi::Number::New(env, static_cast<Desks*>(info.Data())->put(std::move(desk)));
}

/// udpSockets(handle) -> Int32Array of descriptors, by port
Napi::Value udp_sockets(const Napi::CallbackInfo& info) {
  Desk* desk = desk_argument(info);
  if (desk == nullptr) return info.Env().Undefined();
  const std::vector<int>& sockets = desk->echo.sockets();
  Napi::Int32Array list = Napi::Int32Array::New(info.Env(), sockets.size());
  std::copy(sockets.begin(), sockets.end(), list.Data());
  return list;
}

/// udpTake(handle, fd, limit) -> datagrams received
Napi::Value udp_take(const Napi::CallbackInfo& info) {
  std::int64_t fd = 0, limit = 0;
  Desk* desk = desk_argument(info);
  if (desk == nullptr || !int_argument(info, 1, "fd", 0, INT32_MAX, fd) ||
      !int_argument(info, 2, "limit", 1, desk->options.budgets.datagrams, limit)) {
    return info.Env().Undefined();
  }
  const std::size_t got = desk->echo.take(static_cast<int>(fd), static_cast<std::size_t>(limit));
  return Napi::Number::New(info.Env(), static_cast<double>(got));
}

/// udpAnswer(handle, fd): sends back what was taken from that socket
Napi::Value udp_answer(const Napi::CallbackInfo& info) {
  std::int64_t fd = 0;
  Desk* desk = desk_argument(info);
  if (desk != nullptr && int_argument(info, 1, "fd", 0, INT32_MAX, fd)) desk->echo.answer(static_cast<int>(fd));
  return info.Env().Undefined();
}

/// udpStatistics(handle) -> {requests, bytesIn, bytesOut, rejected, unsent}
Napi::Value udp_statistics(const Napi::CallbackInfo& info) {
  Desk* desk = desk_argument(info);
  if (desk == nullptr) return info.Env().Undefined();
  const net::Statistics& statistics = desk->statistics;
  Napi::Object to = Napi::Object::New(info.Env());
  to.Set("requests", static_cast<double>(statistics.requests));
  to.Set("bytesIn", static_cast<double>(statistics.bytes_in));
  to.Set("bytesOut", static_cast<double>(statistics.bytes_out));
  to.Set("rejected", static_cast<double>(statistics.rejected));
  to.Set("unsent", static_cast<double>(statistics.unsent));
  return to;
}

/// udpClose(handle): closes all sockets. Closing twice is no error.
Napi::Value udp_close(const Napi::CallbackInfo& info) {
  std::int64_t handle = 0;
  if (int_argument(info, 0, "handle", 0, 0xffffffff, handle)) {
    static_cast<Desks*>(info.Data())->take(static_cast<std::uint32_t>(handle));
  }
  return info.Env().Undefined();
}

}  // namespace

void export_udp_echo(Napi::Env env, Napi::Object exports) {
  auto& desks = make_state<Desks>(env);
  const auto add = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, function, name, &desks));
  };
  add("udpOpen", udp_open);
  add("udpSockets", udp_sockets);
  add("udpTake", udp_take);
  add("udpAnswer", udp_answer);
  add("udpStatistics", udp_statistics);
  add("udpClose", udp_close);
}

}  // namespace addon
