// Datagram sockets for a server in TypeScript: it waits and decides, the addon receives and replies in batches.
#include <memory>

#include "addon/environment.h"
#include "addon/server.h"
#include "servers/udp_echo.h"

namespace addon {
namespace {

/// A UdpEcho with what it refers to.
struct Desk {
  servers::Options options;
  servers::Statistics statistics;
  servers::UdpEcho echo;
  Desk(servers::Options given, bool drains) : options(std::move(given)), echo(options, statistics, drains) {}
};
using Desks = Handles<Desk>;

/// More descriptors than any system gives a process; keeps a wrong number from asking for a table without end.
constexpr std::int64_t kMostSlot = 1 << 24;

Desk* desk_argument(const Napi::CallbackInfo& info) {
  return handle_argument(info, *static_cast<Desks*>(info.Data()), "the sockets are closed, or not of this environment");
}

/// udpOpen(arguments, drains) -> handle; the arguments are those of a native udp-echo server; drains: see UdpEcho
Napi::Value udp_open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsArray() || !info[1].IsBoolean()) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "arguments must be an array of strings, drains a boolean");
    return env.Undefined();
  }
  servers::Options options;
  std::string fault = read_options(info[0].As<Napi::Array>(), options);
  if (env.IsExceptionPending()) return env.Undefined();
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

/// udpName(handle, fd, slot): from now on that socket is spoken of as `slot`
Napi::Value udp_name(const Napi::CallbackInfo& info) {
  std::int64_t fd = 0, slot = 0;
  Desk* desk = desk_argument(info);
  if (desk != nullptr && int_argument(info, 1, "fd", 0, INT32_MAX, fd) &&
      int_argument(info, 2, "slot", 0, kMostSlot, slot)) {
    desk->echo.name(static_cast<dispatch::Handle>(fd), static_cast<dispatch::Slot>(slot));
  }
  return info.Env().Undefined();
}

/// udpTake(handle, slot, limit) -> datagrams received
Napi::Value udp_take(const Napi::CallbackInfo& info) {
  std::int64_t slot = 0, limit = 0;
  Desk* desk = desk_argument(info);
  if (desk == nullptr || !int_argument(info, 1, "slot", 0, INT32_MAX, slot) ||
      !int_argument(info, 2, "limit", 1, desk->options.budgets.datagrams, limit)) {
    return info.Env().Undefined();
  }
  const std::size_t got = desk->echo.take(static_cast<dispatch::Slot>(slot), static_cast<std::size_t>(limit));
  return Napi::Number::New(info.Env(), static_cast<double>(got));
}

/// udpAnswer(handle): sends back what was taken last
Napi::Value udp_answer(const Napi::CallbackInfo& info) {
  if (Desk* desk = desk_argument(info)) desk->echo.answer();
  return info.Env().Undefined();
}

/// udpStatistics(handle) -> {requests, bytesIn, bytesOut, rejected, unsent}
Napi::Value udp_statistics(const Napi::CallbackInfo& info) {
  Desk* desk = desk_argument(info);
  if (desk == nullptr) return info.Env().Undefined();
  const servers::Statistics& statistics = desk->statistics;
  Napi::Object to = Napi::Object::New(info.Env());
  define(to, "requests", static_cast<double>(statistics.requests));
  define(to, "bytesIn", static_cast<double>(statistics.bytes_in));
  define(to, "bytesOut", static_cast<double>(statistics.bytes_out));
  define(to, "rejected", static_cast<double>(statistics.rejected));
  define(to, "unsent", static_cast<double>(statistics.unsent));
  return to;
}

/// udpClose(handle): closes all sockets. Closing twice is no error.
Napi::Value udp_close(const Napi::CallbackInfo& info) {
  return free_argument(info, *static_cast<Desks*>(info.Data()));
}

}  // namespace

void export_udp_echo(Napi::Env env, Napi::Object exports) {
  auto& desks = make_state<Desks>(env);
  export_functions(env, exports, &desks,
                   {{"udpOpen", udp_open},
                    {"udpSockets", udp_sockets},
                    {"udpName", udp_name},
                    {"udpTake", udp_take},
                    {"udpAnswer", udp_answer},
                    {"udpStatistics", udp_statistics},
                    {"udpClose", udp_close}});
}

}  // namespace addon
