// SHA-256 as this processor does it, and as one does that has no instructions for it.
#include "testing/digests.h"

#include <span>

#include "process/sha256.h"

namespace testing {
namespace {

/// sha256(bytes: Uint8Array) -> [fast, plain]: hexadecimal
Napi::Value sha256(const Napi::CallbackInfo& info) {
  const auto given = info[0].As<Napi::Uint8Array>();
  const std::span<const std::uint8_t> bytes(given.Data(), given.ElementLength());
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(0u, process::hex(process::sha256(bytes)));
  both.Set(1u, process::hex(process::sha256_plain(bytes)));
  return both;
}

}  // namespace

void export_digests(Napi::Env env, Napi::Object exports) {
  exports.Set("sha256", Napi::Function::New(env, sha256));
}

}  // namespace testing
