#ifdef __linux__
#include "completion/listener.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "completion/streams.h"
#include "net/socket.h"

namespace completion {
namespace {

bool connection_waits(int listener) noexcept {
  pollfd one{listener, POLLIN, 0};
  return poll(&one, 1, 0) > 0;
}

// io_uring takes O_NONBLOCK for a wish not to wait in the ring either.
bool make_blocking(int fd) noexcept { return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0; }

}  // namespace

Listener::~Listener() {
  if (fd_ >= 0) close(fd_);
}

std::string Listener::open() {
  fd_ = net::listen_tcp(options_.address, static_cast<int>(options_.backlog));
  if (fd_ < 0) return net::listen_refusal(options_.address, -fd_);
  make_blocking(fd_);
  arm();
  return "";
}

void Listener::arm() {
  Submission& entry = *engine_.want(uring::op::accept, fd_, {Purpose::accept, 0, 0});
  entry.priority = uring::multishot::accept;
  if (engine_.tuning().direct) entry.file_index = uring::kAllocateIndex;
  else entry.op_flags = SOCK_CLOEXEC;
}

void Listener::wait_for_connection() {
  engine_.want(uring::op::poll_add, fd_, {Purpose::connection_waits, 0, 0})->op_flags = POLLIN;
}

void Listener::on_completion(Tag tag, const Completion& row, Streams& streams) {
  if (tag.purpose == Purpose::connection_waits) {
    on_starved(streams);
    return;
  }
  if (row.result >= 0) {
    streams.admit(row.result);
  } else if (row.result == -EMFILE || (row.result == -ENFILE && !engine_.tuning().direct)) {
    // Accepting takes a descriptor before it looks for a connection, so it would fail again and again.
    wait_for_connection();
    return;
  } else if (row.result == -ENFILE) {
    refused("no place is left in the ring's table of connections");  // the kernel has closed it
  }
  if ((row.flags & uring::completed::more) == 0) {
    engine_.count_rearm();
    arm();
  }
}

// While there are no descriptors connections are turned away one by one; the first that can be had is served again.
void Listener::on_starved(Streams& streams) {
  while (connection_waits(fd_)) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      streams.admit(fd);
      arm();
      return;
    }
    if (errno != EMFILE && errno != ENFILE) continue;
    if (!spare_.turn_away_one(fd_)) break;
    refused("no descriptor is left (raise the limit: ulimit -n)");
  }
  wait_for_connection();
}

void Listener::refused(const char* why) {
  ++statistics_.rejected;
  if (explained_) return;
  explained_ = true;
  std::fprintf(stderr, "dispatchbench: a connection was refused: %s; this and later ones count as rejected\n", why);
}

}  // namespace completion
#endif
