// What the addon can say about itself: the backends of this system, and the layout of the memory it shares.
#include "dispatch/registry.h"

#include "addon/environment.h"
#include "addon/poller.h"
#include "servers/options.h"

namespace addon {

Napi::Object capabilities_object(Napi::Env env, const dispatch::Capabilities& from) {
  Napi::Object to = Napi::Object::New(env);
  each_field(from, [&to](const char* name, auto value) { to.Set(name, value); });
  return to;
}

namespace {

Napi::Object probe_object(Napi::Env env, const dispatch::BackendEntry& entry, const dispatch::Probe& probe) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("name", entry.name);
  to.Set("mechanism", entry.mechanism);
  to.Set("trigger", dispatch::name_of(entry.trigger));
  to.Set("available", probe.available);
  to.Set("errno", probe.error == 0 ? env.Null() : Napi::String::New(env, errno_name(probe.error)));
  to.Set("reason", probe.reason);
  to.Set("capabilities", probe.available ? capabilities_object(env, probe.capabilities) : env.Null());
  return to;
}

/// backends() -> one object per backend, available or not.
Napi::Value backends(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const dispatch::BackendEntry& entry : dispatch::backends()) {
    list.Set(list.Length(), probe_object(info.Env(), entry, dispatch::probe(entry)));
  }
  return list;
}

template <class Fields>
Napi::Array names_of(Napi::Env env, const Fields& fields) {
  Napi::Array names = Napi::Array::New(env);
  each_field(fields, [&names](const char* name, auto) { names.Set(names.Length(), name); });
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
    list.Set(list.Length(), text);
  }
  return list;
}

/// layout() -> what src/dispatch/layout.ts must agree with
Napi::Value layout(const Napi::CallbackInfo& info) {
  Napi::Object to = Napi::Object::New(info.Env());
  to.Set("statusWords", static_cast<int>(kStatusWords));
  to.Set("eventWords", kEventWords);
  to.Set("changeWords", kChangeWords);
  to.Set("rearm", kRearm);
  to.Set("readable", static_cast<int>(dispatch::readable));
  to.Set("writable", static_cast<int>(dispatch::writable));
  to.Set("error", static_cast<int>(dispatch::error));
  to.Set("hangup", static_cast<int>(dispatch::hangup));
  to.Set("readClosed", static_cast<int>(dispatch::read_closed));
  to.Set("invalid", static_cast<int>(dispatch::invalid));
  to.Set("receiveWindow", static_cast<double>(servers::kReceiveWindow));
  to.Set("counters", names_of(info.Env(), dispatch::Counters{}));
  to.Set("capabilities", names_of(info.Env(), dispatch::Capabilities{}));
  to.Set("serverOptions", server_options(info.Env()));
  return to;
}

}  // namespace

void export_registry(Napi::Env env, Napi::Object exports) {
  exports.Set("backends", Napi::Function::New(env, backends, "backends"));
  exports.Set("ownBackend", Napi::Function::New(env, own_backend, "ownBackend"));
  exports.Set("clientBackend", Napi::Function::New(env, client_backend, "clientBackend"));
  exports.Set("layout", Napi::Function::New(env, layout, "layout"));
}

}  // namespace addon
