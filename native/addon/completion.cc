// The completion area: a server on a completion engine whose protocol is JavaScript's. All of a turn passes in one call:
// replies go in, rows of what came go out, received bytes lie in a slab that JavaScript allocated.
#include <algorithm>
#include <memory>
#include <variant>

#include "addon/environment.h"
#include "addon/poller.h"
#include "addon/server.h"
#include "addon/shared_buffer.h"
#include "completion/server.h"
#include "completion/tuning.h"

#ifdef __linux__
#include "completion/datagrams.h"
#include "completion/streams.h"
#endif

namespace addon {
namespace {

/// engines() -> [{name, available, reason}]
Napi::Value engines(const Napi::CallbackInfo& info) {
  const std::string reason = completion::why_not();
  Napi::Object uring = Napi::Object::New(info.Env());
  define(uring, "name", "uring");
  define(uring, "available", reason.empty());
  define(uring, "reason", reason);
  Napi::Array list = Napi::Array::New(info.Env());
  define(list, 0u, uring);
  return list;
}

#ifdef __linux__

/// What a row says; mirrored in src/dispatch/completion.ts.
enum Kind : std::int32_t { kind_received, kind_gone, kind_control };

/// One row of what came: bytes in the slab, of a connection or a datagram (its number of this turn in `slot`), the end of a
/// connection, or a control channel (its descriptor in `slot`).
struct Row {
  std::int32_t kind, slot, offset, length;
};
/// One row of what is to go: bytes of the slab.
struct ReplyRow {
  std::int32_t slot, offset, length, closes;
};

/// An engine with what it refers to, and its two buffers: rows of both kinds one after the other, and the slab.
struct Face {
  servers::Options options;
  servers::Statistics statistics;
  completion::Engine engine;
  std::variant<completion::Streams, completion::Datagrams> sockets;
  SharedBuffer buffer, slab;
  std::size_t receive_from = 0;
  std::uint32_t rows = 0;

  template <class Sockets>
  Face(servers::Options given, const completion::Tuning& tuning, std::in_place_type_t<Sockets> which)
      : options(std::move(given)), engine(tuning), sockets(which, engine, options, statistics) {}

  Row* came() const noexcept { return reinterpret_cast<Row*>(buffer.data()); }
  const ReplyRow* replies() const noexcept { return reinterpret_cast<const ReplyRow*>(came() + rows); }
  static std::size_t bytes(std::uint32_t rows) noexcept { return rows * (sizeof(Row) + sizeof(ReplyRow)); }

  /// Replies that say nothing sensible are left out: they harm nobody but their connection.
  template <class Sockets>
  void reply(Sockets& to, std::uint32_t count, servers::Owner owner) {
    const std::span<const std::byte> all(slab.data(), slab.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      const ReplyRow row = replies()[i];
      const auto offset = static_cast<std::size_t>(row.offset), length = static_cast<std::size_t>(row.length);
      if (row.offset < 0 || row.length < 0 || offset > all.size() || length > all.size() - offset) continue;
      to.reply(static_cast<std::uint32_t>(row.slot), {all.subspan(offset, length), row.closes != 0, owner});
    }
  }

  /// Returns how many rows came.
  template <class Sockets>
  std::uint32_t take(Sockets& from) {
    std::uint32_t count = 0;
    std::size_t at = receive_from;
    const auto put = [&](Kind kind, std::uint32_t slot, std::size_t offset, std::size_t length) {
      came()[count++] = {kind, static_cast<std::int32_t>(slot), static_cast<std::int32_t>(offset),
                         static_cast<std::int32_t>(length)};
    };
    const auto tell_gone = [&](std::size_t most) {
      if constexpr (std::is_same_v<Sockets, completion::Streams>) {
        from.tell_gone(most, [&](completion::Slot slot) { put(kind_gone, slot, 0, 0); });
      }
    };
    tell_gone(rows / 2);
    // A completion makes two rows at most: what was received, and that this was the last of it.
    engine.take((rows - count) / 2, [&](completion::Tag tag, const completion::Completion& row) {
      if (tag.purpose == completion::Purpose::control) [[unlikely]] {
        put(kind_control, tag.place, 0, 0);
        if ((row.flags & uring::completed::more) == 0) engine.watch(static_cast<int>(tag.place), tag.place);
        return;
      }
      const std::uint32_t before = count;
      from.on_completion(tag, row, [&](std::uint32_t slot, std::span<const std::byte> bytes) {
        std::copy(bytes.begin(), bytes.end(), slab.data() + at);
        if (count == before) put(kind_received, slot, at, bytes.size());
        else came()[before].length += static_cast<std::int32_t>(bytes.size());  // of a bundle
        at += bytes.size();
      });
      tell_gone(1);
    });
    return count;
  }
};
using Faces = Handles<Face>;

Face* face_of(napi_env env, const Faces& faces, std::uint32_t handle) {
  Face* face = faces.get(handle);
  if (face == nullptr) [[unlikely]] {
    throw_coded(env, "ERR_CLOSED_HANDLE", "the engine is closed, or belongs to another environment");
  } else if (!face->buffer.attached() || !face->slab.attached()) [[unlikely]] {
    throw_coded(env, "ERR_DETACHED_BUFFER", "a buffer of the engine has been detached or shrunk");
    return nullptr;
  }
  return face;
}

Face* face_argument(const Napi::CallbackInfo& info) {
  std::int64_t handle = 0;
  if (!int_argument(info, 0, "handle", 0, 0xffffffff, handle)) return nullptr;
  return face_of(info.Env(), *static_cast<Faces*>(info.Data()), static_cast<std::uint32_t>(handle));
}

/// Received bytes of one turn: no buffer is given back within it.
std::size_t room_of(const completion::Tuning& tuning) noexcept { return std::size_t{tuning.buffers} * tuning.bytes; }
constexpr std::size_t kMostRoom = 1 << 30;  // rows tell offsets in 32 bits

/// Reads the arguments of a native server, and makes its engine's buffers large enough for them; false after throwing.
bool read_arguments(const Napi::CallbackInfo& info, servers::Options& options, completion::Tuning& tuning) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsArray()) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "arguments must be an array of strings");
    return false;
  }
  std::string fault = read_options(info[0].As<Napi::Array>(), options);
  if (env.IsExceptionPending()) return false;
  if (fault.empty()) fault = completion::read_tuning(options.engine_options, tuning);
  if (fault.empty()) fault = completion::unfit(tuning, options.protocol, false);
  if (options.protocol == "udp-echo") tuning.bytes = completion::Datagrams::buffer_bytes();
  if (fault.empty() && room_of(tuning) > kMostRoom) fault = "--engine-options: buffers of more than 1 GiB are for native servers";
  if (!fault.empty()) throw_coded(env, "ERR_SERVER", fault);
  return fault.empty();
}

/// completionRoom(arguments) -> bytes that one turn may bring
Napi::Value room(const Napi::CallbackInfo& info) {
  servers::Options options;
  completion::Tuning tuning;
  if (!read_arguments(info, options, tuning)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(room_of(tuning)));
}

/// completionOpen(arguments, rows, buffer, slab, receiveFrom) -> handle; the arguments are those of a native server, whose
/// protocol decides whether it has connections or datagrams. It listens from now on. `buffer` holds `rows` rows of what came
/// and as many replies; received bytes lie in the slab from `receiveFrom` on, where there has to be completionRoom().
Napi::Value open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  servers::Options options;
  completion::Tuning tuning;
  if (!read_arguments(info, options, tuning)) return env.Undefined();
  std::int64_t rows = 0, receive_from = 0;
  if (!int_argument(info, 1, "rows", 2, 1 << 16, rows) ||
      !int_argument(info, 4, "receiveFrom", 0, 1 << 30, receive_from)) {
    return env.Undefined();
  }
  const bool datagrams = options.protocol == "udp-echo";
  auto face = datagrams
                  ? std::make_unique<Face>(std::move(options), tuning, std::in_place_type<completion::Datagrams>)
                  : std::make_unique<Face>(std::move(options), tuning, std::in_place_type<completion::Streams>);
  face->rows = static_cast<std::uint32_t>(rows);
  face->receive_from = static_cast<std::size_t>(receive_from);
  const std::size_t slab_bytes = face->receive_from + room_of(tuning);
  if (!face->buffer.attach(env, info[2], Face::bytes(face->rows), "buffer") ||
      !face->slab.attach(env, info[3], slab_bytes, "slab")) {
    return env.Undefined();
  }
  std::string fault = face->engine.open(tuning.bytes);
  const bool available = fault.empty();
  if (available) fault = std::visit([](auto& sockets) { return sockets.open(); }, face->sockets);
  if (!fault.empty()) {
    throw_coded(env, available ? "ERR_SERVER" : "ERR_BACKEND_UNAVAILABLE", fault);
    return env.Undefined();
  }
  return Napi::Number::New(env, static_cast<Faces*>(info.Data())->put(std::move(face)));
}

/// completionClose(handle)
Napi::Value close(const Napi::CallbackInfo& info) { return free_argument(info, *static_cast<Faces*>(info.Data())); }

/// completionTurn(handle, replies, timeoutUs) -> rows. One crossing and one system call per turn of the loop: sends the first
/// `replies` replies, waits, and writes rows of what came. The replies' bytes may be anything again after it.
napi_value turn(napi_env env, napi_callback_info info) {
  TurnArguments given;
  if (!read_turn(env, info, "replies", given)) [[unlikely]] return nullptr;
  Face* const face = face_of(env, *static_cast<Faces*>(given.data), given.handle);
  if (face == nullptr || !given.within(env, "replies", face->rows)) [[unlikely]] return nullptr;
  std::uint32_t came = 0;
  const int error = std::visit(
      [&](auto& sockets) {
        // A thread that polls may send them after this call.
        face->reply(sockets, static_cast<std::uint32_t>(given.count),
                    face->engine.tuning().polling_thread ? servers::Owner::protocol : servers::Owner::window);
        sockets.end_turn();
        const int fault = face->engine.enter(sockets.impatient(), given.timeout_ns);
        if (fault != 0) return fault;
        sockets.settle();
        came = face->take(sockets);
        return 0;
      },
      face->sockets);
  if (error != 0) [[unlikely]] {
    throw_coded(env, errno_name(error), "io_uring_enter failed", error);
    return nullptr;
  }
  napi_value count = nullptr;
  napi_create_uint32(env, came, &count);
  return count;
}

/// completionKeep(handle, replies): takes the first `replies` replies and copies them, to be sent with the next turn
Napi::Value keep(const Napi::CallbackInfo& info) {
  Face* const face = face_argument(info);
  std::int64_t replies = 0;
  if (face != nullptr && int_argument(info, 1, "replies", 0, face->rows, replies)) {
    std::visit(
        [&](auto& sockets) { face->reply(sockets, static_cast<std::uint32_t>(replies), servers::Owner::protocol); },
        face->sockets);
  }
  return info.Env().Undefined();
}

/// completionWatch(handle, fd): rows of control tell when it can be read
Napi::Value watch(const Napi::CallbackInfo& info) {
  Face* const face = face_argument(info);
  std::int64_t fd = 0;
  if (face != nullptr && int_argument(info, 1, "fd", 0, INT32_MAX, fd)) {
    face->engine.watch(static_cast<int>(fd), static_cast<std::uint32_t>(fd));
  }
  return info.Env().Undefined();
}

/// completionFacts(handle) -> {listener, slots, engine: JSON text}: the descriptor of what listens, or of the first port, and
/// a number that no slot of a connection reaches
Napi::Value facts(const Napi::CallbackInfo& info) {
  Face* const face = face_argument(info);
  if (face == nullptr) return info.Env().Undefined();
  Napi::Object to = Napi::Object::New(info.Env());
  define(to, "listener", std::visit([](const auto& sockets) { return sockets.socket(); }, face->sockets));
  const auto* streams = std::get_if<completion::Streams>(&face->sockets);
  define(to, "slots", streams == nullptr ? 0 : streams->most());
  define(to, "engine", face->engine.facts());
  return to;
}

/// completionCounters(handle, BigUint64Array) -> {accepted, closed, bytesIn, bytesOut, refused, answered, unsent}; fills the
/// array in the order of layout().counters. The last two are of datagrams.
Napi::Value counters(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Face* const face = face_argument(info);
  if (face == nullptr || !fill_counters(info, face->engine.counters())) return env.Undefined();
  const servers::Statistics& counted = face->statistics;
  Napi::Object to = Napi::Object::New(env);
  const auto tell = [&to](const char* name, std::uint64_t value) { define(to, name, static_cast<double>(value)); };
  tell("accepted", counted.accepted);
  tell("closed", counted.closed);
  tell("bytesIn", counted.bytes_in);
  tell("bytesOut", counted.bytes_out);
  tell("refused", counted.rejected);
  tell("answered", counted.requests);
  tell("unsent", counted.unsent);
  return to;
}
#endif

}  // namespace

void export_completion(Napi::Env env, Napi::Object exports) {
  define(exports, "engines", Napi::Function::New<engines>(env));
#ifdef __linux__
  auto& faces = make_state<Faces>(env);
  export_functions(env, exports, &faces,
                   {{"completionRoom", room},
                    {"completionOpen", open},
                    {"completionClose", close},
                    {"completionKeep", keep},
                    {"completionWatch", watch},
                    {"completionFacts", facts},
                    {"completionCounters", counters}});
  export_hot(env, exports, "completionTurn", turn, &faces);
#endif
}

}  // namespace addon
