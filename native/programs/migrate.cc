// dispatchbench-migrate: moves the memory of a guest, or a page set, to another process, or receives it, on any backend.
// Options: migrate/options.h; output: src/contract/migrate.ts.
#include <cstdio>
#include <span>
#include <string>

#include "migrate/codecs.h"
#include "migrate/options.h"
#include "migrate/receiver.h"
#include "migrate/report.h"
#include "migrate/sender.h"
#include "process/json_line.h"
#include "servers/server.h"
#include "servers/turns.h"
#include "transfer/hello.h"
#include "transfer/loop.h"

namespace {

/// An end turns and introduces itself as that of any bulk transfer does.
transfer::Options as_transfer(const migrate::Options& options) {
  transfer::Options same;
  same.role = options.role == migrate::Role::sender ? transfer::Role::sender : transfer::Role::receiver;
  same.base = options.base;
  return same;
}

template <class Service>
std::string carry(dispatch::Poller& poller, servers::Control& control, const migrate::Options& options, Service& service) {
  const std::string fault = transfer::turn_until_done(poller, control, as_transfer(options), service);
  process::print_line(migrate::result_line(options, service.account(), fault));
  return fault;
}

std::string move(const migrate::Options& options, const char* program) {
  servers::Control control;
  std::string fault = servers::prepare(options.base, control);
  if (!fault.empty()) return fault;
  const auto poller = servers::open_poller(options.base, control.descriptors(), fault);
  if (poller == nullptr) return fault;
  if (options.role == migrate::Role::sender) {
    migrate::Sender sender(*poller, options);
    process::print_line(transfer::hello_line(as_transfer(options), *poller, -1, program));
    if (fault = sender.open(); !fault.empty()) return fault;
    return carry(*poller, control, options, sender);
  }
  migrate::Receiver receiver(*poller, options);
  if (fault = receiver.open(); !fault.empty()) return fault;
  process::print_line(transfer::hello_line(as_transfer(options), *poller, receiver.socket(), program));
  return carry(*poller, control, options, receiver);
}

std::string compare(const migrate::Options& options) {
  std::string line;
  if (std::string fault = migrate::compare_codecs(options, line); !fault.empty()) return fault;
  process::print_line(line);
  return "";
}

/// Says what the memory is, and puts it into a file where one is named.
std::string tell(const migrate::Options& options) {
  migrate::Memory memory;
  std::string fault;
  if (options.into.empty()) {
    fault = migrate::make_memory(options, memory);
  } else if (fault = migrate::Memory::create(options.into, options.bytes, memory); fault.empty()) {
    migrate::fill(memory.bytes(), options.pages, options.seed);
  }
  if (!fault.empty()) return fault;
  process::print_line(process::JsonLine()
                          .string("event", "pages")
                          .number("memory", memory.bytes().size())
                          .string("digest", migrate::digest_text(migrate::digest_of(memory.bytes())))
                          .text());
  return "";
}

std::string carry_out(const migrate::Options& options, const char* program) {
  switch (options.role) {
    case migrate::Role::codecs: return compare(options);
    case migrate::Role::pages: return tell(options);
    default: return move(options, program);
  }
}

int complain(const std::string& fault, int code) {
  std::fprintf(stderr, "dispatchbench-migrate: %s\n", fault.c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  migrate::Options options;
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (const std::string fault = migrate::parse_options(arguments.subspan(1), options); !fault.empty()) {
    return complain(fault, 2);
  }
  const std::string fault = carry_out(options, argv[0]);
  return fault.empty() ? 0 : complain(fault, 1);
}
