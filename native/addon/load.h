// What the load areas of the addon share: handles of threads, fields of a plan, histograms for JavaScript.
#pragma once

#include "addon/environment.h"
#include "addon/fields.h"
#include "load/errors.h"
#include "load/histogram.h"

namespace addon {

/// The worker of argument 0, or null with an exception pending.
template <class T>
T* worker_argument(const Napi::CallbackInfo& info, const Handles<T>& handles) {
  return handle_argument(info, handles, "the load is stopped, or not of this environment");
}

/// Starts the thread and gives out the handle.
template <class T>
Napi::Value launch(const Napi::CallbackInfo& info, Handles<T>& handles, std::unique_ptr<T> worker) {
  if (const int error = worker->start(); error != 0) {
    throw_errno(info.Env(), error, "starting the load thread");
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), handles.put(std::move(worker)));
}

/// Name of a backend that this build has; otherwise the fields are no longer good.
std::string backend_field(Fields& fields);

/// {values, counts}: two Float64Arrays with an element for each cell that counted something.
Napi::Object histogram_object(Napi::Env env, const load::Histogram& histogram);

}  // namespace addon
