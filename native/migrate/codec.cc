#include "migrate/codec.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>

namespace migrate {
namespace {

/// How much gzip's frame is longer than that of zlib, whose stream is the same.
constexpr std::size_t kGzipMore = 12;
constexpr int kFirstThoroughLz4 = 3;
// Of zstd.h.
constexpr int kZstdResetSession = 1;
constexpr int kZstdLevel = 100;

/// A library, opened for good.
class Library {
 public:
  Library(const char* what, const char* package, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (handle_ != nullptr) return;
    }
    missing_ = std::string("there is no library ") + what + " (Debian: apt-get install " + package + ")";
  }

  template <class Function>
  Function* find(const char* name) {
    void* const found = handle_ == nullptr ? nullptr : dlsym(handle_, name);
    if (found == nullptr && missing_.empty()) missing_ = std::string("the library has no ") + name;
    return reinterpret_cast<Function*>(found);
  }
  const std::string& missing() const noexcept { return missing_; }

 private:
  void* handle_ = nullptr;
  std::string missing_;
};

// The functions of each library as its header declares them (zstd.h, lz4.h, lz4hc.h, zlib.h, snappy-c.h).

struct Zstd {
  Library library{"libzstd", "libzstd1", {"libzstd.so.1", "libzstd.so", "libzstd.1.dylib"}};
  void* (*create_packer)() = library.find<void*()>("ZSTD_createCCtx");
  std::size_t (*free_packer)(void*) = library.find<std::size_t(void*)>("ZSTD_freeCCtx");
  std::size_t (*pack)(void*, void*, std::size_t, const void*, std::size_t, int) =
      library.find<std::size_t(void*, void*, std::size_t, const void*, std::size_t, int)>("ZSTD_compressCCtx");
  void* (*create_unpacker)() = library.find<void*()>("ZSTD_createDCtx");
  std::size_t (*free_unpacker)(void*) = library.find<std::size_t(void*)>("ZSTD_freeDCtx");
  std::size_t (*unpack)(void*, void*, std::size_t, const void*, std::size_t) =
      library.find<std::size_t(void*, void*, std::size_t, const void*, std::size_t)>("ZSTD_decompressDCtx");
  std::size_t (*reset)(void*, int) = library.find<std::size_t(void*, int)>("ZSTD_CCtx_reset");
  std::size_t (*set)(void*, int, int) = library.find<std::size_t(void*, int, int)>("ZSTD_CCtx_setParameter");
  std::size_t (*pack_beside)(void*, const void*, std::size_t) =
      library.find<std::size_t(void*, const void*, std::size_t)>("ZSTD_CCtx_refPrefix");
  std::size_t (*pack_as_set)(void*, void*, std::size_t, const void*, std::size_t) =
      library.find<std::size_t(void*, void*, std::size_t, const void*, std::size_t)>("ZSTD_compress2");
  std::size_t (*unpack_beside)(void*, const void*, std::size_t) =
      library.find<std::size_t(void*, const void*, std::size_t)>("ZSTD_DCtx_refPrefix");
  unsigned (*is_error)(std::size_t) = library.find<unsigned(std::size_t)>("ZSTD_isError");
  const char* (*version)() = library.find<const char*()>("ZSTD_versionString");
};

struct Lz4 {
  Library library{"liblz4", "liblz4-1", {"liblz4.so.1", "liblz4.so", "liblz4.1.dylib"}};
  int (*pack)(const char*, char*, int, int) = library.find<int(const char*, char*, int, int)>("LZ4_compress_default");
  int (*pack_well)(const char*, char*, int, int, int) =
      library.find<int(const char*, char*, int, int, int)>("LZ4_compress_HC");
  int (*unpack)(const char*, char*, int, int) = library.find<int(const char*, char*, int, int)>("LZ4_decompress_safe");
  const char* (*version)() = library.find<const char*()>("LZ4_versionString");
};

struct Zlib {
  Library library{"libz", "zlib1g", {"libz.so.1", "libz.so.6", "libz.so", "libz.1.dylib"}};
  int (*pack)(void*, unsigned long*, const void*, unsigned long, int) =
      library.find<int(void*, unsigned long*, const void*, unsigned long, int)>("compress2");
  int (*unpack)(void*, unsigned long*, const void*, unsigned long) =
      library.find<int(void*, unsigned long*, const void*, unsigned long)>("uncompress");
  const char* (*version)() = library.find<const char*()>("zlibVersion");
};

struct Snappy {
  Library library{"libsnappy", "libsnappy1v5", {"libsnappy.so.1", "libsnappy.so", "libsnappy.1.dylib"}};
  std::size_t (*bound)(std::size_t) = library.find<std::size_t(std::size_t)>("snappy_max_compressed_length");
  int (*pack)(const char*, std::size_t, char*, std::size_t*) =
      library.find<int(const char*, std::size_t, char*, std::size_t*)>("snappy_compress");
  int (*unpack)(const char*, std::size_t, char*, std::size_t*) =
      library.find<int(const char*, std::size_t, char*, std::size_t*)>("snappy_uncompress");
};

template <class Functions>
Functions& the() {
  static Functions functions;
  return functions;
}

char* text(std::span<std::byte> bytes) noexcept { return reinterpret_cast<char*>(bytes.data()); }
const char* text(std::span<const std::byte> bytes) noexcept { return reinterpret_cast<const char*>(bytes.data()); }

}  // namespace

CodecFacts facts_of(Codec codec) noexcept {
  switch (codec) {
    case Codec::none: return {.travels = true};
    case Codec::zstd: return {.lowest = 1, .highest = 19, .usual = 1, .travels = true};
    case Codec::lz4: return {.lowest = 1, .highest = 12, .usual = 1, .travels = true};
    case Codec::gzip: return {.lowest = 1, .highest = 9, .usual = 9};
    case Codec::snappy: return {};
    // By level 1 it misses much of what is there to refer to.
    case Codec::zstd_prefix: return {.lowest = 1, .highest = 19, .usual = 3, .travels = true};
  }
  return {};
}

const std::string& missing(Codec codec) {
  static const std::string nothing;
  switch (codec) {
    case Codec::none: return nothing;
    case Codec::zstd:
    case Codec::zstd_prefix: return the<Zstd>().library.missing();
    case Codec::lz4: return the<Lz4>().library.missing();
    case Codec::gzip: return the<Zlib>().library.missing();
    case Codec::snappy: return the<Snappy>().library.missing();
  }
  return nothing;
}

std::string version_of(Codec codec) {
  if (!missing(codec).empty()) return "";
  switch (codec) {
    case Codec::zstd:
    case Codec::zstd_prefix: return the<Zstd>().version();
    case Codec::lz4: return the<Lz4>().version();
    case Codec::gzip: return the<Zlib>().version();
    default: return "";
  }
}

Coder::~Coder() {
  if (zstd_packer_ != nullptr) the<Zstd>().free_packer(zstd_packer_);
  if (zstd_unpacker_ != nullptr) the<Zstd>().free_unpacker(zstd_unpacker_);
}

std::size_t Coder::pack(Codec codec, int level, std::span<const std::byte> from, std::span<std::byte> into,
                        std::span<const std::byte> older) noexcept {
  if (!missing(codec).empty()) return 0;
  switch (codec) {
    case Codec::none: {
      if (into.size() < from.size()) return 0;
      std::memcpy(into.data(), from.data(), from.size());
      return from.size();
    }
    case Codec::zstd:
    case Codec::zstd_prefix: {
      const Zstd& zstd = the<Zstd>();
      if (zstd_packer_ == nullptr && (zstd_packer_ = zstd.create_packer()) == nullptr) return 0;
      std::size_t size = 0;
      if (codec == Codec::zstd) {
        size = zstd.pack(zstd_packer_, into.data(), into.size(), from.data(), from.size(), level);
      } else {
        // One that had no room before is in the middle of it yet. What it refers to is of one frame alone.
        zstd.reset(zstd_packer_, kZstdResetSession);
        zstd.set(zstd_packer_, kZstdLevel, level);
        zstd.pack_beside(zstd_packer_, older.data(), older.size());
        size = zstd.pack_as_set(zstd_packer_, into.data(), into.size(), from.data(), from.size());
      }
      return zstd.is_error(size) != 0 ? 0 : size;
    }
    case Codec::lz4: {
      const Lz4& lz4 = the<Lz4>();
      const auto size = static_cast<int>(from.size()), room = static_cast<int>(into.size());
      const int written = level < kFirstThoroughLz4 ? lz4.pack(text(from), text(into), size, room)
                                                    : lz4.pack_well(text(from), text(into), size, room, level);
      return static_cast<std::size_t>(std::max(written, 0));
    }
    case Codec::gzip: {
      if (into.size() < kGzipMore) return 0;
      unsigned long written = into.size() - kGzipMore;
      return the<Zlib>().pack(into.data(), &written, from.data(), from.size(), level) == 0 ? written + kGzipMore : 0;
    }
    case Codec::snappy: {
      const Snappy& snappy = the<Snappy>();
      if (into.size() < snappy.bound(from.size())) return 0;
      std::size_t written = into.size();
      return snappy.pack(text(from), from.size(), text(into), &written) == 0 ? written : 0;
    }
  }
  return 0;
}

bool Coder::unpack(Codec codec, std::span<const std::byte> from, std::span<std::byte> into,
                   std::span<const std::byte> older) noexcept {
  if (!missing(codec).empty()) return false;
  switch (codec) {
    case Codec::none: {
      if (from.size() != into.size()) return false;
      std::copy(from.begin(), from.end(), into.begin());
      return true;
    }
    case Codec::zstd:
    case Codec::zstd_prefix: {
      const Zstd& zstd = the<Zstd>();
      if (zstd_unpacker_ == nullptr && (zstd_unpacker_ = zstd.create_unpacker()) == nullptr) return false;
      if (codec == Codec::zstd_prefix) zstd.unpack_beside(zstd_unpacker_, older.data(), older.size());
      return zstd.unpack(zstd_unpacker_, into.data(), into.size(), from.data(), from.size()) == into.size();
    }
    case Codec::lz4:
      return the<Lz4>().unpack(text(from), text(into), static_cast<int>(from.size()), static_cast<int>(into.size())) ==
             static_cast<int>(into.size());
    case Codec::gzip: {
      unsigned long written = into.size();
      return from.size() > kGzipMore &&
             the<Zlib>().unpack(into.data(), &written, from.data(), from.size() - kGzipMore) == 0 &&
             written == into.size();
    }
    case Codec::snappy: {
      std::size_t written = into.size();
      return the<Snappy>().unpack(text(from), from.size(), text(into), &written) == 0 && written == into.size();
    }
  }
  return false;
}

}  // namespace migrate
