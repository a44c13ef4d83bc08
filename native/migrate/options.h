// The command line of dispatchbench-migrate; src/programs/migrate.ts writes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "migrate/codec.h"
#include "migrate/pages.h"
#include "migrate/source.h"
#include "servers/options.h"

namespace migrate {

/// Two that move nothing: `codecs` compresses memory by every codec, `pages` puts a page set into a file, or looks at one.
enum class Role : std::uint8_t { sender, receiver, codecs, pages };

struct Options {
  Role role = Role::receiver;
  servers::Options base;  ///< backend, CPUs, control channel, rows of a wait
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint64_t patience_ms = 10'000;  ///< a connection on which nothing moves for so long ends it

  // Of memory: a file, or a page set.
  std::string file;
  PageSet pages = PageSet::vm;
  std::size_t bytes = 64 << 20;
  std::uint64_t seed = 1;

  /// Of `codecs`: this one alone.
  std::optional<Codec> only;

  // Of a sender.
  std::uint32_t connections = 1;
  std::uint32_t workers = 1;     ///< threads that compress
  bool automatic = false;        ///< codec and level by what the link carries
  Choice choice;
  std::uint32_t tries = 5;       ///< of a lost connection to stand again
  std::uint32_t passes = 0;      ///< over memory, at most; not given: one, and more where memory is written to meanwhile
  std::uint32_t dirty = 0;       ///< millionths of the words that are changed before each further pass
  std::uint64_t dirty_rate = 0;  ///< pages a second that are written to while memory is moved
  std::uint64_t dirty_within = 0;  ///< they are among the first so many bytes; 0: anywhere
  std::uint64_t downtime_ms = 300;  ///< writing is stopped when what is left takes no longer than this
  std::uint16_t writer = 0;  ///< port on loopback of who writes into the file, and stops when asked; 0: nobody

  // Of a receiver, and of `pages`.
  std::string into;                          ///< file; empty: memory of its own
  // Of a receiver.
  bool keep = false;  ///< what is not finished stays beside the file, and the next one begins with it
  std::size_t most = std::size_t{1} << 30;   ///< bytes that it takes
};

/// Reads `arguments` (without the program's name). Returns one sentence on what is wrong, empty when nothing is.
std::string parse_options(std::span<char* const> arguments, Options& options);

/// The memory that `options` name. One sentence on what failed.
std::string make_memory(const Options& options, Memory& memory);

}  // namespace migrate
