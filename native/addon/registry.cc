// What the addon can say about itself: the backends of this system, and the layout of the memory it shares.
#include "dispatch/registry.h"

#include "addon/environment.h"
#include "addon/poller.h"

namespace addon {

Napi::Object capabilities_object(Napi::Env env, const dispatch::Capabilities& from) {
  Napi::Object to = Napi::Object::New(env);
  to.Set("trigger", dispatch::name_of(from.trigger));
  to.Set("waitComplexity", dispatch::name_of(from.wait_complexity));
  to.Set("timeoutResolutionNs", static_cast<double>(from.timeout_resolution_ns));
  to.Set("maxDescriptor", from.max_descriptor);
  to.Set("needsRearm", from.needs_rearm);
  to.Set("reportsReadClosed", from.reports_read_closed);
  to.Set("batchedChanges", from.batched_changes);
  to.Set("waitCall", from.wait_call);
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

/// layout() -> what src/dispatch/layout.ts must agree with
Napi::Value layout(const Napi::CallbackInfo& info) {
  Napi::Object to = Napi::Object::New(info.Env());
  to.Set("statusWords", static_cast<int>(kStatusWords));
  to.Set("eventWords", kEventWords);
  to.Set("changeWords", kChangeWords);
  to.Set("counterWords", dispatch::kCounterWords);
  to.Set("rearm", kRearm);
  to.Set("readable", static_cast<int>(dispatch::readable));
  to.Set("writable", static_cast<int>(dispatch::writable));
  to.Set("error", static_cast<int>(dispatch::error));
  to.Set("hangup", static_cast<int>(dispatch::hangup));
  to.Set("readClosed", static_cast<int>(dispatch::read_closed));
  to.Set("invalid", static_cast<int>(dispatch::invalid));
  return to;
}

}  // namespace

void export_registry(Napi::Env env, Napi::Object exports) {
  exports.Set("backends", Napi::Function::New(env, backends, "backends"));
  exports.Set("layout", Napi::Function::New(env, layout, "layout"));
}

}  // namespace addon
