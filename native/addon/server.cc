// The server area: the native server run inside Node (io=native), and the native HTTP parser for comparison with the
// TypeScript one.
#include "addon/server.h"

#include "addon/environment.h"
#include "completion/server.h"
#include "servers/http_request.h"
#include "servers/server.h"

namespace addon {

std::string read_options(const Napi::Array& arguments, servers::Options& options) {
  Words words(arguments);
  return arguments.Env().IsExceptionPending() ? "" : servers::parse_options(words.span(), options);
}

namespace {

/// serverRun(arguments: string[], versions: string, program: string): runs until it is told to stop; blocks the thread
Napi::Value run(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 3 || !info[0].IsArray() || !info[1].IsString() || !info[2].IsString()) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "serverRun takes an array of strings, a JSON object as text, and a path");
    return env.Undefined();
  }
  servers::Options options;
  std::string fault = read_options(info[0].As<Napi::Array>(), options);
  if (env.IsExceptionPending()) return env.Undefined();
  if (fault.empty()) {
    fault = completion::run_any(options, {.impl = "ts",
                                          .io = "native",
                                          .versions = info[1].As<Napi::String>().Utf8Value(),
                                          .program = info[2].As<Napi::String>().Utf8Value()});
  }
  if (!fault.empty()) throw_coded(env, "ERR_SERVER", fault);
  return env.Undefined();
}

/// httpParse(bytes: Uint8Array, cuts: number[]) -> rows of [parsed, taken, status, flags, bodyLeft, headBytes] for every
/// stop of the parser, when the bytes arrive in pieces that end at `cuts`
Napi::Value parse(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsTypedArray() || !info[1].IsArray() ||
      info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw_coded(env, "ERR_INVALID_ARG_TYPE", "httpParse takes a Uint8Array and an array of positions");
    return env.Undefined();
  }
  std::vector<double> ends;
  const Napi::Array cuts = info[1].As<Napi::Array>();
  for (std::uint32_t i = 0, length = cuts.Length(); i < length; ++i) {
    const Napi::Value cut = cuts.Get(i);
    if (env.IsExceptionPending()) return env.Undefined();
    ends.push_back(cut.IsNumber() ? cut.As<Napi::Number>().DoubleValue() : -1);
  }
  // Only now, because a getter among the positions may have taken the bytes away.
  const auto bytes = info[0].As<Napi::Uint8Array>();
  const auto all = std::as_bytes(std::span(bytes.Data(), bytes.ElementLength()));
  ends.push_back(static_cast<double>(all.size()));
  Napi::Array rows = Napi::Array::New(env);
  servers::HttpRequest request;
  std::size_t from = 0;
  for (const double end : ends) {
    if (!(end >= static_cast<double>(from) && end <= static_cast<double>(all.size()))) {
      throw_coded(env, "ERR_OUT_OF_RANGE", "httpParse: positions must ascend within the bytes");
      return env.Undefined();
    }
    const auto to = static_cast<std::size_t>(end);
    while (from < to) {
      std::size_t taken = 0;
      int status = 0;
      const servers::Parsed parsed = request.feed(all.subspan(from, to - from), taken, status);
      Napi::Array row = Napi::Array::New(env, 6);
      const double fields[] = {static_cast<double>(parsed), static_cast<double>(taken), static_cast<double>(status),
                               static_cast<double>(request.flags), static_cast<double>(request.body_left),
                               static_cast<double>(request.head_bytes)};
      for (std::uint32_t field = 0; field < 6; ++field) define(row, field, fields[field]);
      define(rows, rows.Length(), row);
      if (parsed == servers::Parsed::rejected) return rows;
      from += taken;
    }
  }
  return rows;
}

}  // namespace

void export_server(Napi::Env env, Napi::Object exports) {
  define(exports, "serverRun", Napi::Function::New<run>(env));
  define(exports, "httpParse", Napi::Function::New<parse>(env));
}

}  // namespace addon
