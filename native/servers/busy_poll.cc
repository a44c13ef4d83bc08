#include "servers/busy_poll.h"

#include <cerrno>
#include <cstring>

#include "net/socket.h"
#include "process/json_line.h"

namespace servers {
namespace {

std::string words_of(const char* what, int error) {
  return std::string(what) + ": " + std::strerror(error) + " (errno " + std::to_string(error) + ")";
}

}  // namespace

std::string poll_busily(dispatch::Poller& poller, int listener, const Options& options, std::string& facts) {
  if (options.busy_poll == 0) return "";
  if (const int error = -net::poll_busily(listener, static_cast<int>(options.busy_poll))) {
    return "--busy-poll cannot be had here: " + words_of("SO_BUSY_POLL", error) +
           (error == EPERM ? ", which takes CAP_NET_ADMIN" : "");
  }
  const int error = poller.poll_busily(options.busy_poll);
  process::JsonLine line;
  line.number("us", options.busy_poll).boolean("sockets", true).boolean("waits", error == 0);
  if (error == 0) line.null("whyNotWaits");
  else if (error == ENOTSUP) line.string("whyNotWaits", std::string(poller.entry().name) + " has no parameters for it");
  else line.string("whyNotWaits", words_of("EPIOCSPARAMS, which Linux has from 6.9 on", error));
  // Said, not measured: what it comes to is in the CPU time of the server.
  line.string("burns", error == 0 ? "up to that time of the server's CPU for each wait that would sleep, where packets come "
                                    "from a network card's queue; loopback has none and burns nothing"
                                  : "up to that time of the server's CPU where the system has waits of this kind poll "
                                    "busily (net.core.busy_poll); loopback burns nothing");
  facts = line.text();
  return "";
}

}  // namespace servers
