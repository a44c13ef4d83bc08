// What the addon can say about itself: the backends of this system, and the layout of the memory it shares.
#include "dispatch/registry.h"

#include "addon/environment.h"
#include "addon/poller.h"
#include "servers/options.h"

namespace addon {

Napi::Object capabilities_object(Napi::Env env, const dispatch::Capabilities& from) {
  Napi::Object to = Napi::Object::New(env);
  each_field(from, [&to](const char* name, auto value) { define(to, name, value); });
  return to;
}

namespace {

Napi::Object probe_object(Napi::Env env, const dispatch::BackendEntry& entry, const dispatch::Probe& probe) {
  Napi::Object to = Napi::Object::New(env);
  define(to, "name", entry.name);
  define(to, "mechanism", entry.mechanism);
  define(to, "trigger", dispatch::name_of(entry.trigger));
  define(to, "available", probe.available);
  define(to, "errno", probe.error == 0 ? env.Null() : Napi::String::New(env, errno_name(probe.error)));
  define(to, "reason", probe.reason);
  define(to, "capabilities", probe.available ? capabilities_object(env, probe.capabilities) : env.Null());
  return to;
}

/// backends() -> one object per backend, available or not.
Napi::Value backends(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const dispatch::BackendEntry& entry : dispatch::backends()) {
    define(list, list.Length(), probe_object(info.Env(), entry, dispatch::probe(entry)));
  }
  return list;
}

template <class Fields>
Napi::Array names_of(Napi::Env env, const Fields& fields) {
  Napi::Array names = Napi::Array::New(env);
  each_field(fields, [&names](const char* name, auto) { define(names, names.Length(), name); });
  return names;
}

/// ownBackend(system) -> name of the backend that a system, named as uname does, was given for many descriptors
Napi::Value own_backend(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsString()) {
    throw_coded(info.Env(), "ERR_INVALID_ARG_TYPE", "system must be a string");
    return info.Env().Undefined();
  }
  return Napi::String::New(info.Env(), dispatch::own_backend(info[0].As<Napi::String>().Utf8Value()).name);
}

/// clientBackend() -> name of the backend that clients wait on here
Napi::Value client_backend(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), dispatch::client_backend().name);
}

/// One text per option of a server program: its name, and of numbers the bounds and what holds when it is not given.
Napi::Array server_options(Napi::Env env) {
  Napi::Array list = Napi::Array::New(env);
  servers::Options defaults;
  for (const servers::Option& option : servers::options()) {
    std::string text(option.name);
    if (option.number != nullptr) {
      text += " " + std::to_string(option.low) + ".." + std::to_string(option.high) + " " +
              std::to_string(option.number(defaults));
    }
    define(list, list.Length(), text);
  }
  return list;
}

/// layout() -> what src/dispatch/layout.ts must agree with
Napi::Value layout(const Napi::CallbackInfo& info) {
  Napi::Object to = Napi::Object::New(info.Env());
  define(to, "statusWords", static_cast<int>(kStatusWords));
  define(to, "eventWords", kEventWords);
  define(to, "changeWords", kChangeWords);
  define(to, "rearm", kRearm);
  define(to, "readable", static_cast<int>(dispatch::readable));
  define(to, "writable", static_cast<int>(dispatch::writable));
  define(to, "error", static_cast<int>(dispatch::error));
  define(to, "hangup", static_cast<int>(dispatch::hangup));
  define(to, "readClosed", static_cast<int>(dispatch::read_closed));
  define(to, "invalid", static_cast<int>(dispatch::invalid));
  define(to, "receiveWindow", static_cast<double>(servers::kReceiveWindow));
  define(to, "counters", names_of(info.Env(), dispatch::Counters{}));
  define(to, "capabilities", names_of(info.Env(), dispatch::Capabilities{}));
  define(to, "serverOptions", server_options(info.Env()));
  return to;
}

}  // namespace

void export_registry(Napi::Env env, Napi::Object exports) {
  define(exports, "backends", Napi::Function::New(env, backends, "backends"));
  define(exports, "ownBackend", Napi::Function::New(env, own_backend, "ownBackend"));
  define(exports, "clientBackend", Napi::Function::New(env, client_backend, "clientBackend"));
  define(exports, "layout", Napi::Function::New(env, layout, "layout"));
}

}  // namespace addon
