// Reads a configuration object field by field. The first wrong field throws a typed error that names it; the rest
// is then skipped, so that a reader is a flat list of fields followed by one check.
#pragma once

#include <string>
#include <string_view>

#include "addon/environment.h"
#include "net/socket.h"

namespace addon {

class Fields {
 public:
  explicit Fields(const Napi::CallbackInfo& info, std::size_t argument = 0) : env_(info.Env()) {
    good_ = argument < info.Length() && info[argument].IsObject();
    if (good_) {
      object_ = info[argument].As<Napi::Object>();
    } else {
      throw_coded(env_, "ERR_INVALID_ARG_TYPE", "configuration must be an object");
    }
  }

  /// False once a field was wrong: an exception is pending.
  bool good() const noexcept { return good_; }

  double number(const char* name, double low, double high) {
    const Napi::Value value = get(name);
    if (!good_ || !expect(value.IsNumber(), name, "a number")) return low;
    const double number = value.As<Napi::Number>().DoubleValue();
    if (!(number >= low && number <= high)) {
      fail("ERR_OUT_OF_RANGE",
           std::string(name) + " must be from " + std::to_string(low) + " to " + std::to_string(high));
      return low;
    }
    return number;
  }

  template <class Integer>
  Integer integer(const char* name, double low, double high) {
    const double value = number(name, low, high);
    if (good_ && value != static_cast<double>(static_cast<std::int64_t>(value))) {
      fail("ERR_OUT_OF_RANGE", std::string(name) + " must be an integer");
      return static_cast<Integer>(low);
    }
    return static_cast<Integer>(value);
  }

  bool boolean(const char* name) {
    const Napi::Value value = get(name);
    return good_ && expect(value.IsBoolean(), name, "true or false") && value.As<Napi::Boolean>().Value();
  }

  std::string text(const char* name) {
    const Napi::Value value = get(name);
    return good_ && expect(value.IsString(), name, "a string") ? value.As<Napi::String>().Utf8Value() : std::string();
  }

  std::vector<std::uint8_t> bytes(const char* name) {
    const Napi::Value value = get(name);
    const bool is = good_ && value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
    if (!good_ || !expect(is, name, "a Uint8Array")) return {};
    const Napi::Uint8Array array = value.As<Napi::Uint8Array>();
    return {array.Data(), array.Data() + array.ByteLength()};
  }

  /// Numeric host and port, from the fields `host_name` and `port_name`.
  net::Address address(const char* host_name, const char* port_name) {
    return parse(text(host_name), integer<std::uint16_t>(port_name, 1, 65535));
  }

  /// Array of numeric hosts; their ports are chosen by the system.
  std::vector<net::Address> addresses(const char* name) {
    std::vector<net::Address> list;
    const Napi::Value value = get(name);
    if (!good_ || !expect(value.IsArray(), name, "an array of numeric addresses")) return list;
    const Napi::Array array = value.As<Napi::Array>();
    for (std::uint32_t i = 0, length = array.Length(); good_ && i < length; ++i) {
      const Napi::Value host = checked(array.Get(i));
      if (good_ && expect(host.IsString(), name, "an array of numeric addresses")) {
        list.push_back(parse(host.As<Napi::String>().Utf8Value(), 0));
      }
    }
    return list;
  }

  void fail(const std::string& code, const std::string& message) {
    if (good_) throw_coded(env_, code, message);
    good_ = false;
  }

 private:
  Napi::Value get(const char* name) {
    return good_ ? checked(object_.Get(name)) : Napi::Value();
  }

  /// What a script may have been asked for: its getter may have thrown.
  Napi::Value checked(Napi::Value value) {
    good_ = !env_.IsExceptionPending();
    return value;
  }

  bool expect(bool is, const char* name, const char* kind) {
    if (!is) fail("ERR_INVALID_ARG_TYPE", std::string(name) + " must be " + kind);
    return is;
  }

  net::Address parse(const std::string& host, std::uint16_t port) {
    net::Address address;
    if (good_ && !net::parse_address(host, port, address)) {
      fail("ERR_INVALID_ADDRESS", "'" + host + "' is not a numeric IPv4 or IPv6 address");
    }
    return address;
  }

  Napi::Env env_;
  Napi::Object object_;
  bool good_;
};

}  // namespace addon
