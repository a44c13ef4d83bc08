#include "servers/acceptor.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "net/socket.h"

namespace servers {

using dispatch::Handle;
using dispatch::Interest;
using dispatch::Slot;

Acceptor::~Acceptor() {
  if (listener_ == dispatch::kNoSlot) return;
  const Handle listener = socket();
  poller_.forget(listener_);
  if (owned_) close(listener);
}

std::string Acceptor::open() {
  const Handle handle = net::listen_tcp(options_.address, static_cast<int>(options_.backlog));
  if (handle < 0) return net::listen_refusal(options_.address, -handle);
  std::string fault = open(handle, false);
  owned_ = fault.empty();
  if (!owned_) close(handle);
  return fault;
}

std::string Acceptor::open(Handle listening, bool exclusive) {
  const int error = exclusive ? poller_.add_exclusive(listening, listener_) : poller_.add(listening, Interest::read, listener_);
  if (error == 0) return "";
  if (exclusive && error == ENOTSUP) {
    return "backend '" + std::string(poller_.entry().name) + "' cannot wake one worker alone: --accept reuseport or shared";
  }
  return "cannot watch the listener: " + std::string(std::strerror(error));
}

// kNoSlot when none was admitted; `more` says whether others may wait.
Slot Acceptor::accept_one(bool& more) {
  const Handle listener = socket();
  const Handle handle = net::accept_connection(listener);
  if (handle >= 0) return admit(handle);
  if (handle == -EMFILE || handle == -ENFILE) {
    more = spare_.turn_away_one(listener);
    if (more) refuse(dispatch::kNoHandle, "no descriptor is left (raise the limit: ulimit -n)");
  } else {
    more = handle == -ECONNABORTED || handle == -EINTR;
  }
  return dispatch::kNoSlot;
}

Slot Acceptor::admit(Handle handle) {
  if (statistics_.connections() >= options_.max_connections) {
    refuse(handle, "the limit of --max-connections is reached");
    return dispatch::kNoSlot;
  }
  Slot slot = dispatch::kNoSlot;
  if (const int error = poller_.add(handle, Interest::read, slot)) {
    const std::string why = error == ERANGE ? std::string(poller_.entry().name) + " cannot watch descriptors beyond " +
                                                  std::to_string(poller_.capabilities().max_descriptor)
                                            : std::strerror(error);
    refuse(handle, why.c_str());
    return dispatch::kNoSlot;
  }
  ++statistics_.accepted;
  return slot;
}

void Acceptor::refuse(Handle handle, const char* why) {
  if (handle != dispatch::kNoHandle) close(handle);
  ++statistics_.rejected;
  if (explained_) return;
  explained_ = true;
  std::fprintf(stderr, "dispatchbench: a connection was refused: %s; this and later ones count as rejected\n", why);
}

}  // namespace servers
