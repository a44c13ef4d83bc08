#include "net/ping_pong.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <thread>
#include <vector>

#include "net/socket.h"
#include "process/affinity.h"
#include "process/clock.h"

namespace net {
namespace {

/// Far above the worst round trip: a partner that is gone does not hang us.
constexpr int kPatienceMs = 2000;

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return fd_; }
  int error() const noexcept { return fd_ < 0 ? -fd_ : 0; }

 private:
  int fd_;
};

int make_blocking(int fd) noexcept {
  const timeval patience{kPatienceMs / 1000, 0};
  if (fcntl(fd, F_SETFL, 0) < 0) return errno;
  return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 ? 0 : errno;
}

int await(int fd, short events) noexcept {
  pollfd waiting{fd, events, 0};
  const int ready = poll(&waiting, 1, kPatienceMs);
  return ready > 0 ? 0 : ready == 0 ? ETIMEDOUT : errno;
}

using Message = std::array<std::byte, 64>;

/// Receives a whole message; 0 or an errno.
int receive_whole(int fd, Message& message) noexcept {
  for (std::size_t got = 0; got < message.size();) {
    const ssize_t n = receive(fd, std::span(message).subspan(got));
    if (n <= 0) return n == 0 ? ECONNRESET : static_cast<int>(-n);
    got += static_cast<std::size_t>(n);
  }
  return 0;
}

/// A message is far smaller than any send buffer, so it is taken whole.
int send_whole(int fd, const Message& message) noexcept {
  const ssize_t n = transmit(fd, message);
  return n == static_cast<ssize_t>(message.size()) ? 0 : n < 0 ? static_cast<int>(-n) : EMSGSIZE;
}

/// What one thread does `rounds` times; tells its CPU time and how it ended.
template <class Step>
std::thread side(int cpu, std::uint32_t rounds, process::Nanoseconds& spent, int& error, Step step) {
  return std::thread([=, &spent, &error] {
    error = process::set_thread_affinity({cpu});
    if (error == ENOSYS) error = 0;  // a system without affinity measures wherever it runs the threads
    const process::Nanoseconds start = process::thread_cpu_now();
    for (std::uint32_t round = 0; round < rounds && error == 0; ++round) error = step(round);
    spent = process::thread_cpu_now() - start;
  });
}

}  // namespace

PingPong ping_pong(std::uint32_t rounds, int cpu, int partner) {
  Address loopback;
  parse_address("127.0.0.1", 0, loopback);
  const Descriptor listener(listen_tcp(loopback, 1));
  if (listener.error() != 0) return {listener.error()};
  const Descriptor client(connect_tcp(local_address(listener.get())));
  if (client.error() != 0) return {client.error()};
  if (const int error = await(listener.get(), POLLIN)) return {error};
  const Descriptor server(accept_connection(listener.get()));
  if (server.error() != 0) return {server.error()};
  for (const int fd : {client.get(), server.get()}) {
    if (const int error = make_blocking(fd)) return {error};
  }

  std::vector<process::Nanoseconds> trips(rounds);
  std::array<process::Nanoseconds, 2> spent{};
  std::array<int, 2> errors{};
  const auto answer = [fd = server.get()](std::uint32_t) {
    Message message;
    const int error = receive_whole(fd, message);
    return error != 0 ? error : send_whole(fd, message);
  };
  const auto ask = [fd = client.get(), &trips](std::uint32_t round) {
    Message message{};
    const process::Nanoseconds start = process::monotonic_now();
    int error = send_whole(fd, message);
    if (error == 0) error = receive_whole(fd, message);
    trips[round] = process::monotonic_now() - start;
    return error;
  };
  std::thread answering = side(cpu, rounds, spent[0], errors[0], answer);
  std::thread asking = side(partner, rounds, spent[1], errors[1], ask);
  asking.join();
  answering.join();
  for (const int error : errors) {
    if (error != 0) return {error};
  }
  std::nth_element(trips.begin(), trips.begin() + rounds / 2, trips.end());
  return {0, static_cast<double>(trips[rounds / 2]), static_cast<double>(spent[0] + spent[1]) / rounds};
}

}  // namespace net
