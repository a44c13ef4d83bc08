// dispatchbench-transfer: sends bulk data on several streams at once, or receives it, on any backend. Options:
// transfer/options.h; output: src/contract/transfer.ts.
#include <csignal>
#include <cstdio>
#include <span>
#include <string>

#include "process/json_line.h"
#include "servers/server.h"
#include "servers/turns.h"
#include "transfer/hello.h"
#include "transfer/options.h"
#include "transfer/receiver.h"
#include "transfer/report.h"
#include "transfer/sender.h"

namespace {

template <class Service>
std::string carry(dispatch::Poller& poller, servers::Control& control, const transfer::Options& options,
                  Service& service) {
  const std::string fault = transfer::turn_until_done(poller, control, options, service);
  process::print_line(transfer::result_line(options, service.account(), fault));
  return fault;
}

std::string run(const transfer::Options& options, const char* program) {
  servers::Control control;
  std::string fault = servers::prepare(options.base, control);
  if (!fault.empty()) return fault;
  const auto poller = servers::open_poller(options.base, control.descriptors(), fault);
  if (poller == nullptr) return fault;
  if (options.role == transfer::Role::sender) {
    transfer::Sender sender(*poller, options);
    if (fault = sender.open(); !fault.empty()) return fault;
    process::print_line(transfer::hello_line(options, *poller, -1, program));
    return carry(*poller, control, options, sender);
  }
  transfer::Receiver receiver(*poller, options);
  if (fault = receiver.open(); !fault.empty()) return fault;
  process::print_line(transfer::hello_line(options, *poller, receiver.socket(), program));
  return carry(*poller, control, options, receiver);
}

int complain(const std::string& fault, int code) {
  std::fprintf(stderr, "dispatchbench-transfer: %s\n", fault.c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  // sendfile(2) cannot be told to leave the signal out; that the peer is gone is told in words.
  std::signal(SIGPIPE, SIG_IGN);
  transfer::Options options;
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (const std::string fault = transfer::parse_options(arguments.subspan(1), options); !fault.empty()) {
    return complain(fault, 2);
  }
  const std::string fault = run(options, argv[0]);
  return fault.empty() ? 0 : complain(fault, 1);
}
