#include "completion/server.h"

#include <cerrno>
#include <cstring>

#include "completion/tuning.h"
#include "servers/server.h"
#include "uring/availability.h"

#ifdef __linux__
#include "completion/service.h"
#include "process/clock.h"
#include "process/json_line.h"
#endif

namespace completion {

#ifdef __linux__
namespace {

using process::print_line;

template <class Service>
class Loop {
 public:
  Loop(Engine& engine, servers::Control& control, const servers::Options& options)
      : engine_(engine), control_(control), options_(options), service_(engine, options, statistics_) {}

  std::string run(servers::Identity identity) {
    const std::int64_t started = process::monotonic_now();
    if (std::string fault = service_.open(); !fault.empty()) return fault;
    for (const int fd : control_.descriptors()) engine_.watch(fd, static_cast<std::uint32_t>(fd));
    identity.engine = engine_.facts();
    print_line(servers::hello_line(options_, identity, nullptr, service_.socket()));
    int error = 0;
    while (!control_.stopping() && (error = engine_.enter(service_.impatient())) == 0) turn();
    const dispatch::Counters counters = engine_.counters();
    print_line(servers::farewell_line(error == 0 ? control_.reason() : "error", started, statistics_, &counters));
    return error == 0 ? "" : "io_uring_enter failed: " + std::string(std::strerror(error));
  }

 private:
  void turn() {
    service_.settle();
    const std::uint32_t told = engine_.take(options_.budgets.max_events, [this](Tag tag, const Completion& row) {
      if (tag.purpose == Purpose::control) [[unlikely]] on_control(tag, row);
      else service_.on_completion(tag, row);
    });
    statistics_.count_wait(static_cast<int>(told));
    service_.end_turn();
  }

  void on_control(Tag tag, const Completion& row) {
    const int fd = static_cast<int>(tag.place);
    control_.on_readable(fd, [this](std::string_view id) {
      const dispatch::Counters counters = engine_.counters();
      print_line(servers::snapshot_line(id, statistics_, &counters));
    });
    if ((row.flags & uring::completed::more) == 0) engine_.watch(fd, tag.place);
  }

  Engine& engine_;
  servers::Control& control_;
  const servers::Options& options_;
  servers::Statistics statistics_;
  Service service_;
};

template <class Service>
std::string serve(const Tuning& tuning, std::uint32_t bytes, servers::Control& control, const servers::Options& options,
                  const servers::Identity& identity) {
  Engine engine(tuning);
  if (std::string fault = engine.open(bytes); !fault.empty()) return fault;
  return Loop<Service>(engine, control, options).run(identity);
}

}  // namespace

std::string run_server(const servers::Options& options, const servers::Identity& identity) {
  Tuning tuning;
  if (std::string fault = read_tuning(options.engine_options, tuning); !fault.empty()) return fault;
  if (std::string fault = unfit(tuning, options.protocol, true); !fault.empty()) return fault;
  servers::Control control;
  if (std::string fault = servers::prepare(options, control); !fault.empty()) return fault;
  if (options.protocol == "tcp-echo") {
    return serve<StreamService<servers::Echo>>(tuning, tuning.bytes, control, options, identity);
  }
  if (options.protocol == "http") {
    return serve<StreamService<servers::Http>>(tuning, tuning.bytes, control, options, identity);
  }
  if (options.protocol == "udp-echo") {
    return serve<DatagramEcho>(tuning, Datagrams::buffer_bytes(), control, options, identity);
  }
  return "unknown protocol '" + options.protocol + "': tcp-echo, udp-echo or http";
}

std::string why_not() {
  Engine engine(Tuning{.buffers = 2});
  return engine.open(64);
}
#else
std::string why_not() { return "engine 'uring' is not available here: " + uring::probe().reason; }

std::string run_server(const servers::Options& options, const servers::Identity&) {
  Tuning tuning;
  if (std::string fault = read_tuning(options.engine_options, tuning); !fault.empty()) return fault;
  return why_not();
}
#endif

std::string run_any(const servers::Options& options, const servers::Identity& identity) {
  return options.engine.empty() ? servers::run_server(options, identity) : completion::run_server(options, identity);
}

}  // namespace completion
