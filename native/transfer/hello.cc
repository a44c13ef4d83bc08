#include "transfer/hello.h"

#include <unistd.h>

#include "net/socket.h"
#include "process/affinity.h"
#include "process/digest.h"
#include "process/identity.h"
#include "process/json_line.h"
#include "servers/dispatch_json.h"

namespace transfer {

std::string hello_line(const Options& options, const dispatch::Poller& poller, int listener, const char* program) {
  process::JsonLine line;
  line.string("event", "hello")
      .string("role", name_of(options.role))
      .string("backend", options.base.backend)
      .object("capabilities", servers::capabilities_object(poller.capabilities()));
  if (listener >= 0) {
    const net::Address address = net::local_address(listener);
    line.string("address", address.host()).number("port", address.port());
  }
  line.number("pid", getpid())
      .numbers("cpuAffinity", process::affinity())
      .string("kernel", process::kernel_release())
      .string("compiler", process::compiler())
      .string("compilerFlags", process::compiler_flags())
      .string("digest", process::file_digest(program));
  return line.text();
}

}  // namespace transfer
