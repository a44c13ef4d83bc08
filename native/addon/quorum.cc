// The quorum area: a replica's log (native/quorum) for servers/replica. Records go in as bytes, and come out once, when the log
// is opened; what is durable is read into an array of doubles, so that a loop turn makes no object.
#include "quorum/log.h"

#include "addon/environment.h"

namespace addon {
namespace {

using quorum::Log;
using Logs = Handles<Log>;

Log* log_argument(const Napi::CallbackInfo& info) {
  return handle_argument(info, *static_cast<Logs*>(info.Data()), "the log is closed, or not of this environment");
}

/// logOpen(folder, syncs) -> handle
Napi::Value log_open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsString() || !info[1].IsBoolean()) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "folder must be a string, syncs a boolean");
    return env.Undefined();
  }
  std::string fault;
  auto log = Log::open(info[0].As<Napi::String>().Utf8Value(), info[1].As<Napi::Boolean>().Value(), fault);
  if (log == nullptr) {
    throw_coded(env, "ERR_LOG", fault);
    return env.Undefined();
  }
  return Napi::Number::New(env, static_cast<Logs*>(info.Data())->put(std::move(log)));
}

/// logRecovered(handle) -> records that were there when it was opened, once: Uint8Array[]
Napi::Value log_recovered(const Napi::CallbackInfo& info) {
  Log* log = log_argument(info);
  if (log == nullptr) return info.Env().Undefined();
  Napi::Array list = Napi::Array::New(info.Env());
  for (const quorum::Bytes& record : log->take_recovered()) {
    Napi::Uint8Array bytes = Napi::Uint8Array::New(info.Env(), record.size());
    std::copy(record.begin(), record.end(), reinterpret_cast<std::byte*>(bytes.Data()));
    define(list, list.Length(), static_cast<Napi::Value>(bytes));
  }
  return list;
}

/// logTorn(handle) -> bytes of a torn tail that were cut off then
Napi::Value log_torn(const Napi::CallbackInfo& info) {
  Log* log = log_argument(info);
  if (log == nullptr) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(log->torn_bytes()));
}

/// logAppend(handle, record, begins) -> number of the record
Napi::Value log_append(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Log* log = log_argument(info);
  if (log == nullptr) return env.Undefined();
  const bool is = info.Length() > 2 && info[1].IsTypedArray() &&
                  info[1].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array && info[2].IsBoolean();
  if (!is) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "record must be a Uint8Array, begins a boolean");
    return env.Undefined();
  }
  const Napi::Uint8Array record = info[1].As<Napi::Uint8Array>();
  if (record.ByteLength() > quorum::kMostRecord) {
    throw_coded(env, "ERR_OUT_OF_RANGE", "record must not be longer than " + std::to_string(quorum::kMostRecord));
    return env.Undefined();
  }
  const auto number = log->append({reinterpret_cast<const std::byte*>(record.Data()), record.ByteLength()},
                                  info[2].As<Napi::Boolean>().Value());
  return Napi::Number::New(env, static_cast<double>(number));
}

/// logDescriptor(handle) -> readable when there is progress; -1 without syncs
Napi::Value log_descriptor(const Napi::CallbackInfo& info) {
  Log* log = log_argument(info);
  if (log == nullptr) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), log->descriptor());
}

/// logProgress(handle, into): number, syncs, bytes, busyNs, lastEndedNs, lastTookNs, errno
Napi::Value log_progress(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Log* log = log_argument(info);
  if (log == nullptr) return env.Undefined();
  constexpr std::size_t kWords = 7;
  const bool is = info.Length() > 1 && info[1].IsTypedArray() &&
                  info[1].As<Napi::TypedArray>().TypedArrayType() == napi_float64_array &&
                  info[1].As<Napi::TypedArray>().ElementLength() >= kWords;
  if (!is) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "into must be a Float64Array of at least 7");
    return env.Undefined();
  }
  const Log::Progress at = log->progress();
  double* into = info[1].As<Napi::Float64Array>().Data();
  into[0] = static_cast<double>(at.number);
  into[1] = static_cast<double>(at.syncs);
  into[2] = static_cast<double>(at.bytes);
  into[3] = static_cast<double>(at.busy);
  into[4] = static_cast<double>(at.last_ended);
  into[5] = static_cast<double>(at.last_took);
  into[6] = at.error;
  return env.Undefined();
}

/// logClose(handle): writes what was appended and syncs it. Doing so twice is no error.
Napi::Value log_close(const Napi::CallbackInfo& info) { return free_argument(info, *static_cast<Logs*>(info.Data())); }

}  // namespace

void export_quorum(Napi::Env env, Napi::Object exports) {
  auto& logs = make_state<Logs>(env);
  export_functions(env, exports, &logs,
                   {{"logOpen", log_open},
                    {"logRecovered", log_recovered},
                    {"logTorn", log_torn},
                    {"logAppend", log_append},
                    {"logDescriptor", log_descriptor},
                    {"logProgress", log_progress},
                    {"logClose", log_close}});
}

}  // namespace addon
