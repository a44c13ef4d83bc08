// The sealing area: HMAC-SHA256 and SHA-256 for src/sealing, at a fraction of what a call of node:crypto costs on frames of this
// size. A key is a handle; tags are written in place and compared here, so that a message makes no object.
#include <algorithm>

#include "addon/environment.h"
#include "process/sha256.h"

namespace addon {
namespace {

using process::Digest;
using process::HmacKey;
using Keys = Handles<HmacKey>;
using Bytes = std::span<std::uint8_t>;

constexpr std::size_t kMostArguments = 4;

/// The arguments of a hot function: a key, and bytes behind it.
struct Given {
  napi_env env;
  std::size_t count = kMostArguments;
  napi_value values[kMostArguments];
  Keys* keys = nullptr;

  Given(napi_env given, napi_callback_info info) : env(given) {
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values, nullptr, &data);
    keys = static_cast<Keys*>(data);
  }

  /// Null after throwing.
  const HmacKey* key() const {
    std::uint32_t handle = 0;
    const bool is = count > 0 && napi_get_value_uint32(env, values[0], &handle) == napi_ok;
    const HmacKey* found = is ? keys->get(handle) : nullptr;
    if (found == nullptr) throw_coded(env, "ERR_CLOSED_HANDLE", "the key is forgotten, or not of this environment");
    return found;
  }

  /// False after throwing.
  bool bytes(std::size_t index, Bytes& into) const {
    bool is = false;
    if (index < count) napi_is_typedarray(env, values[index], &is);
    napi_typedarray_type type = napi_int8_array;
    std::size_t length = 0;
    void* data = nullptr;
    if (is) napi_get_typedarray_info(env, values[index], &type, &length, &data, nullptr, nullptr);
    if (!is || type != napi_uint8_array) {
      throw_coded(env, "ERR_INVALID_ARG_TYPE", "bytes and tags must be Uint8Arrays");
      return false;
    }
    into = {static_cast<std::uint8_t*>(data), length};
    return true;
  }
};

/// macKey(secret) -> handle
Napi::Value mac_key(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsTypedArray() ||
      info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw_coded(info.Env(), "ERR_INVALID_ARG_TYPE", "a secret must be a Uint8Array");
    return info.Env().Undefined();
  }
  const Napi::Uint8Array secret = info[0].As<Napi::Uint8Array>();
  auto key = std::make_unique<HmacKey>(std::span<const std::uint8_t>{secret.Data(), secret.ByteLength()});
  return Napi::Number::New(info.Env(), static_cast<Keys*>(info.Data())->put(std::move(key)));
}

/// macForget(handle). Doing so twice is no error.
Napi::Value mac_forget(const Napi::CallbackInfo& info) { return free_argument(info, *static_cast<Keys*>(info.Data())); }

/// macWrite(handle, bytes, into, at): the tag of `bytes` into 32 bytes of `into`
napi_value mac_write(napi_env env, napi_callback_info info) {
  const Given given(env, info);
  const HmacKey* key = given.key();
  Bytes bytes, into;
  if (key == nullptr || !given.bytes(1, bytes) || !given.bytes(2, into)) return nullptr;
  std::uint32_t at = 0;
  const bool is = given.count > 3 && napi_get_value_uint32(env, given.values[3], &at) == napi_ok;
  if (!is || into.size() < sizeof(Digest) || at > into.size() - sizeof(Digest)) {
    throw_coded(env, "ERR_OUT_OF_RANGE", "a tag must fit where it is written");
    return nullptr;
  }
  const Digest tag = key->mac(bytes);
  std::copy(tag.begin(), tag.end(), into.begin() + at);
  return nullptr;
}

/// macMatches(handle, bytes, tag) -> whether that is their tag, in a time that does not tell where they differ
napi_value mac_matches(napi_env env, napi_callback_info info) {
  const Given given(env, info);
  const HmacKey* key = given.key();
  Bytes bytes, said;
  if (key == nullptr || !given.bytes(1, bytes) || !given.bytes(2, said)) return nullptr;
  const Digest tag = key->mac(bytes);
  unsigned different = said.size() == tag.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(said.size(), tag.size()); ++i) different |= said[i] ^ tag[i];
  napi_value result = nullptr;
  napi_get_boolean(env, different == 0, &result);
  return result;
}

/// sha256(bytes) -> lower-case hexadecimal
napi_value sha256(napi_env env, napi_callback_info info) {
  const Given given(env, info);
  Bytes bytes;
  if (!given.bytes(0, bytes)) return nullptr;
  const std::string text = process::hex(process::sha256(bytes));
  napi_value result = nullptr;
  napi_create_string_latin1(env, text.data(), text.size(), &result);
  return result;
}

}  // namespace

void export_sealing(Napi::Env env, Napi::Object exports) {
  auto& keys = make_state<Keys>(env);
  export_functions(env, exports, &keys, {{"macKey", mac_key}, {"macForget", mac_forget}});
  export_hot(env, exports, "macWrite", mac_write, &keys);
  export_hot(env, exports, "macMatches", mac_matches, &keys);
  export_hot(env, exports, "sha256", sha256, &keys);
}

}  // namespace addon
