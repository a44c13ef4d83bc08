// The sockets area: non-blocking I/O on memory that JavaScript allocated once. An "I/O desk" is a slab (bytes) and a
// ring (rows of operations). receive, send and run are the hot paths: numbers in, bytes or -errno out, no exception for
// anything a socket can do; a wrong type, a freed desk or a detached buffer is a typed error.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "addon/environment.h"
#include "addon/shared_buffer.h"
#include "net/ping_pong.h"
#include "net/socket.h"
#include "net/spare_descriptor.h"
#include "servers/statistics.h"

namespace addon {
namespace {

/// One operation; the same row carries what was received to the send that answers it. Mirrored in servers/io-desk.ts.
struct Operation {
  std::int32_t code;
  std::int32_t fd;
  std::int32_t offset;  ///< in the slab; written by `receive`
  std::int32_t length;  ///< bytes to send
  std::int32_t result;  ///< bytes or -errno
};
inline constexpr std::size_t kOperationWords = sizeof(Operation) / sizeof(std::int32_t);

enum Code : std::int32_t {
  nothing = 0,
  receive_packed = 1,  ///< into the window after what the previous rows received, so that a batch lies close together
  send_bytes = 2,
};

struct Desk {
  SharedBuffer slab;
  SharedBuffer ring;
  std::size_t receive_from = 0;  ///< packed receives use the slab from here to its end
  net::SpareDescriptor spare;

  std::span<std::byte> bytes() const noexcept { return {slab.data(), slab.size()}; }
  bool holds(std::int64_t offset, std::int64_t length) const noexcept {
    return offset >= 0 && length >= 0 && offset + length <= static_cast<std::int64_t>(slab.size());
  }
};

struct DeskArea {
  Handles<Desk> desks;

  Desk* use(napi_env env, std::uint32_t handle) const {
    Desk* desk = desks.get(handle);
    if (desk == nullptr) [[unlikely]] {
      throw_coded(env, "ERR_CLOSED_HANDLE", "the I/O desk is closed, or belongs to another environment");
      return nullptr;
    }
    if (!desk->slab.attached() || !desk->ring.attached()) [[unlikely]] {
      throw_coded(env, "ERR_DETACHED_BUFFER", "a buffer of the I/O desk has been detached or shrunk");
      return nullptr;
    }
    return desk;
  }
};

/// Reads exactly N integers; throws and returns null otherwise. The desk is named by the first.
template <std::size_t N>
Desk* hot_arguments(napi_env env, napi_callback_info info, const char* usage, std::int32_t (&values)[N]) {
  napi_value arguments[N];
  std::size_t length = N;
  void* data = nullptr;
  napi_get_cb_info(env, info, &length, arguments, nullptr, &data);
  for (std::size_t i = 0; i < N; ++i) {
    double exact = 0;
    if (napi_get_value_double(env, arguments[i], &exact) != napi_ok ||
        exact != (values[i] = static_cast<std::int32_t>(std::clamp(exact, -2147483648.0, 2147483647.0)))) [[unlikely]] {
      throw_coded(env, "ERR_INVALID_ARG_TYPE", std::string(usage) + " takes 32-bit integers");
      return nullptr;
    }
  }
  return static_cast<DeskArea*>(data)->use(env, static_cast<std::uint32_t>(values[0]));
}

napi_value number(napi_env env, std::int64_t value) {
  napi_value result = nullptr;
  napi_create_int32(env, static_cast<std::int32_t>(value), &result);
  return result;
}

std::int32_t receive_at(const Desk& desk, int fd, std::int64_t offset, std::int64_t length) noexcept {
  if (!desk.holds(offset, length)) return -EINVAL;
  return static_cast<std::int32_t>(
      net::receive(fd, desk.bytes().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length))));
}

std::int32_t send_from(const Desk& desk, int fd, std::int64_t offset, std::int64_t length) noexcept {
  if (!desk.holds(offset, length)) return -EINVAL;
  return static_cast<std::int32_t>(
      net::transmit(fd, desk.bytes().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length))));
}

/// ioReceive(desk, fd, offset, length) -> bytes, 0 at the end of the stream, or -errno
napi_value receive(napi_env env, napi_callback_info info) {
  std::int32_t v[4];
  const Desk* desk = hot_arguments(env, info, "ioReceive(desk, fd, offset, length)", v);
  return desk == nullptr ? nullptr : number(env, receive_at(*desk, v[1], v[2], v[3]));
}

/// ioSend(desk, fd, offset, length) -> bytes or -errno
napi_value send(napi_env env, napi_callback_info info) {
  std::int32_t v[4];
  const Desk* desk = hot_arguments(env, info, "ioSend(desk, fd, offset, length)", v);
  return desk == nullptr ? nullptr : number(env, send_from(*desk, v[1], v[2], v[3]));
}

/// ioRun(desk, from, to) -> index of the first row not run: `to`, or less when the slab has no room for another receive
napi_value run(napi_env env, napi_callback_info info) {
  std::int32_t v[3];
  const Desk* desk = hot_arguments(env, info, "ioRun(desk, from, to)", v);
  if (desk == nullptr) return nullptr;
  const auto rows = static_cast<std::int32_t>(desk->ring.size() / sizeof(Operation));
  if (v[1] < 0 || v[1] > v[2] || v[2] > rows) {
    throw_coded(env, "ERR_OUT_OF_RANGE", "ioRun: rows must lie within 0 and " + std::to_string(rows));
    return nullptr;
  }
  auto* ring = reinterpret_cast<Operation*>(desk->ring.data());
  std::size_t cursor = desk->receive_from;
  for (std::int32_t i = v[1]; i < v[2]; ++i) {
    Operation& op = ring[i];
    if (op.code == receive_packed) {
      if (cursor + servers::kReceiveWindow > desk->slab.size()) return number(env, i);
      op.offset = static_cast<std::int32_t>(cursor);
      op.result = receive_at(*desk, op.fd, op.offset, servers::kReceiveWindow);
      if (op.result > 0) cursor += (static_cast<std::size_t>(op.result) + 63) & ~std::size_t{63};
    } else if (op.code == send_bytes) {
      op.result = send_from(*desk, op.fd, op.offset, op.length);
    } else {
      op.result = op.code == nothing ? 0 : -EINVAL;
    }
  }
  return number(env, v[2]);
}

Desk* desk_argument(const Napi::CallbackInfo& info) {
  std::int64_t handle = 0;
  if (!int_argument(info, 0, "desk", 0, 0xffffffff, handle)) return nullptr;
  return static_cast<DeskArea*>(info.Data())->use(info.Env(), static_cast<std::uint32_t>(handle));
}

bool fd_argument(const Napi::CallbackInfo& info, std::size_t index, int& fd) {
  std::int64_t value = 0;
  if (!int_argument(info, index, "fd", 0, 0x7fffffff, value)) return false;
  fd = static_cast<int>(value);
  return true;
}

/// ioOpen(slab, ring, receiveFrom) -> desk
Napi::Value open_desk(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto desk = std::make_unique<Desk>();
  std::int64_t receive_from = 0;
  if (!desk->slab.attach(env, info[0], servers::kReceiveWindow, "slab")) return env.Undefined();
  if (!desk->ring.attach(env, info[1], sizeof(Operation), "ring")) return env.Undefined();
  const auto last = static_cast<double>(desk->slab.size() - servers::kReceiveWindow);
  if (!int_argument(info, 2, "receiveFrom", 0, std::min(last, 1e9), receive_from)) return env.Undefined();
  desk->receive_from = static_cast<std::size_t>(receive_from);
  return Napi::Number::New(env, static_cast<DeskArea*>(info.Data())->desks.put(std::move(desk)));
}

/// ioClose(desk)
Napi::Value close_desk(const Napi::CallbackInfo& info) {
  return free_argument(info, static_cast<DeskArea*>(info.Data())->desks);
}

/// ioTurnAway(desk, listener) -> whether a connection was taken off the queue and closed, without a free descriptor
Napi::Value turn_away(const Napi::CallbackInfo& info) {
  Desk* desk = desk_argument(info);
  int fd = 0;
  if (desk == nullptr || !fd_argument(info, 1, fd)) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), desk->spare.turn_away_one(fd));
}

/// Reads (host, port); throws and returns false when they are not an address.
bool address_arguments(const Napi::CallbackInfo& info, net::Address& address) {
  std::int64_t port = 0;
  if (info.Length() < 1 || !info[0].IsString()) {
    throw_coded(info.Env(), "ERR_INVALID_ARG_TYPE", "host must be a string");
    return false;
  }
  if (!int_argument(info, 1, "port", 0, 65535, port)) return false;
  const std::string host = info[0].As<Napi::String>().Utf8Value();
  if (net::parse_address(host, static_cast<std::uint16_t>(port), address)) return true;
  throw_coded(info.Env(), "ERR_INVALID_ADDRESS", "'" + host + "' is not a numeric IPv4 or IPv6 address");
  return false;
}

/// tcpListen(host, port, backlog) -> fd
Napi::Value listen_on(const Napi::CallbackInfo& info) {
  net::Address address;
  std::int64_t backlog = 0;
  if (!address_arguments(info, address) || !int_argument(info, 2, "backlog", 1, 65535, backlog)) {
    return info.Env().Undefined();
  }
  const int fd = net::listen_tcp(address, static_cast<int>(backlog));
  if (fd < 0) throw_coded(info.Env(), errno_name(-fd), net::listen_refusal(address, -fd), -fd);
  return Napi::Number::New(info.Env(), fd);
}

/// tcpBacklog(fd, asked) -> most connections that may wait at a listening socket
Napi::Value backlog_of(const Napi::CallbackInfo& info) {
  int fd = 0;
  std::int64_t asked = 0;
  if (!fd_argument(info, 0, fd) || !int_argument(info, 1, "asked", 1, 65535, asked)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), net::listen_backlog(fd, static_cast<int>(asked)));
}

/// tcpWithoutPacing(fd) -> name of the congestion control that is in force then, or "" where the system does not tell
Napi::Value without_pacing(const Napi::CallbackInfo& info) {
  int fd = 0;
  if (!fd_argument(info, 0, fd)) return info.Env().Undefined();
  net::take_out_pacing(fd);
  return Napi::String::New(info.Env(), net::congestion_control(fd));
}

/// tcpConnect(host, port) -> fd of a connection under way
Napi::Value connect_to(const Napi::CallbackInfo& info) {
  net::Address address;
  if (!address_arguments(info, address)) return info.Env().Undefined();
  const int fd = net::connect_tcp(address);
  if (fd < 0) throw_errno(info.Env(), -fd, "connect to " + address.host());
  return Napi::Number::New(info.Env(), fd);
}

/// A function of one descriptor that returns a number: (fd) -> result or -errno.
template <int (*function)(int)>
Napi::Value of_descriptor(const Napi::CallbackInfo& info) {
  int fd = 0;
  if (!fd_argument(info, 0, fd)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), function(fd));
}
int accept_from(int fd) { return net::accept_connection(fd); }
int close_one(int fd) { return close(fd) == 0 ? 0 : -errno; }
int shut_sending(int fd) { return shutdown(fd, SHUT_WR) == 0 ? 0 : -errno; }
int pending_error(int fd) { return net::take_error(fd); }

/// socketAddress(fd) -> {address, port}
Napi::Value socket_address(const Napi::CallbackInfo& info) {
  int fd = 0;
  if (!fd_argument(info, 0, fd)) return info.Env().Undefined();
  const net::Address address = net::local_address(fd);
  if (address.length == 0) {
    throw_errno(info.Env(), ENOTSOCK, "read the address of descriptor " + std::to_string(fd));
    return info.Env().Undefined();
  }
  Napi::Object object = Napi::Object::New(info.Env());
  define(object, "address", address.host());
  define(object, "port", address.port());
  return object;
}

/// netPingPong(rounds, cpu, partner) -> {roundTripNs, cpuNs} between two threads over loopback
Napi::Value ping_pong(const Napi::CallbackInfo& info) {
  std::int64_t rounds = 0;
  std::int64_t cpu = 0;
  std::int64_t partner = 0;
  if (!int_argument(info, 0, "rounds", 1, 10'000, rounds) || !int_argument(info, 1, "cpu", 0, 1023, cpu) ||
      !int_argument(info, 2, "partner", 0, 1023, partner)) {
    return info.Env().Undefined();
  }
  const auto [error, round_trip_ns, cpu_ns] =
      net::ping_pong(static_cast<std::uint32_t>(rounds), static_cast<int>(cpu), static_cast<int>(partner));
  if (error != 0) {
    throw_errno(info.Env(), error, "send to and fro over loopback");
    return info.Env().Undefined();
  }
  Napi::Object object = Napi::Object::New(info.Env());
  define(object, "roundTripNs", round_trip_ns);
  define(object, "cpuNs", cpu_ns);
  return object;
}

}  // namespace

void export_sockets(Napi::Env env, Napi::Object exports) {
  auto& area = make_state<DeskArea>(env);
  export_functions(env, exports, &area,
                   {{"ioOpen", open_desk},
                    {"ioClose", close_desk},
                    {"ioTurnAway", turn_away},
                    {"tcpListen", listen_on},
                    {"tcpBacklog", backlog_of},
                    {"tcpWithoutPacing", without_pacing},
                    {"tcpConnect", connect_to},
                    {"socketAccept", of_descriptor<accept_from>},
                    {"socketClose", of_descriptor<close_one>},
                    {"socketShutdown", of_descriptor<shut_sending>},
                    {"socketError", of_descriptor<pending_error>},
                    {"socketAddress", socket_address},
                    {"netPingPong", ping_pong}});
  export_hot(env, exports, "ioReceive", receive, &area);
  export_hot(env, exports, "ioSend", send, &area);
  export_hot(env, exports, "ioRun", run, &area);
}

}  // namespace addon
