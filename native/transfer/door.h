// The door of a receiver: the socket that listens, and the connections that it let in, by number. Numbers are used again.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "dispatch/poller.h"
#include "net/socket.h"
#include "process/clock.h"

namespace transfer {

/// A Connection has `fd`, `slot`, and `moved`, when it last did; one that is gone has no `fd` (-1).
template <class Connection>
class Door {
 public:
  /// `most`: connections at one time; further ones are sent away.
  Door(dispatch::Poller& poller, std::size_t most) noexcept : poller_(poller), most_(most) {}
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;
  ~Door() {
    for (Connection& connection : connections_) drop(connection);
    if (listening_ != dispatch::kNoSlot) poller_.forget(listening_);
    if (listener_ >= 0) close(listener_);
  }

  /// One sentence on what failed.
  std::string open(const std::string& host, std::uint16_t port, std::uint32_t backlog) {
    net::Address address;
    if (!net::parse_address(host, port, address)) {
      return "'" + host + "' is no numeric address: --host takes one like 127.0.0.1 or ::1";
    }
    const int fd = net::listen_tcp(address, static_cast<int>(backlog));
    if (fd < 0) return net::listen_refusal(address, -fd);
    listener_ = fd;
    if (const int error = poller_.add(fd, dispatch::Interest::read, listening_)) {
      return std::string("cannot watch the listening socket: ") + std::strerror(error);
    }
    return "";
  }
  int socket() const noexcept { return listener_; }
  bool is(dispatch::Slot slot) const noexcept { return slot == listening_; }

  /// Lets in whoever waits. `strangers` counts those who were sent away. One sentence on what failed.
  std::string admit(std::uint64_t& strangers) {
    const std::string fault = admit_all(strangers);
    poller_.rearm(listening_);
    return fault;
  }

  /// Number of the connection behind a slot.
  std::uint32_t at(dispatch::Slot slot) const noexcept { return at_slot_[slot]; }
  Connection& operator[](std::uint32_t number) noexcept { return connections_[number]; }
  /// Also those that are gone.
  std::vector<Connection>& all() noexcept { return connections_; }
  bool empty() const noexcept { return connections_.size() == free_.size(); }

  void drop(Connection& connection) {
    if (connection.fd < 0) return;
    poller_.forget(connection.slot);
    close(connection.fd);
    connection.fd = -1;
    connection.slot = dispatch::kNoSlot;
    free_.push_back(static_cast<std::uint32_t>(&connection - connections_.data()));
  }

 private:
  std::string admit_all(std::uint64_t& strangers) {
    for (int fd = net::accept_connection(listener_); !net::would_block(fd); fd = net::accept_connection(listener_)) {
      // One that was gone before it was taken is nobody's fault.
      if (fd == -ECONNABORTED || fd == -EINTR) continue;
      if (fd < 0) return std::string("cannot accept a connection: ") + std::strerror(-fd);
      if (connections_.size() - free_.size() >= most_) {
        ++strangers;
        close(fd);
        continue;
      }
      dispatch::Slot slot = dispatch::kNoSlot;
      if (const int error = poller_.add(fd, dispatch::Interest::read, slot)) {
        close(fd);
        return std::string("cannot watch a connection: ") + std::strerror(error);
      }
      put(fd, slot);
    }
    return "";
  }

  void put(int fd, dispatch::Slot slot) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(connections_.size()));
      connections_.emplace_back();
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    Connection& connection = connections_[number] = Connection{};
    connection.fd = fd;
    connection.slot = slot;
    connection.moved = process::monotonic_now();
    if (slot >= at_slot_.size()) at_slot_.resize(slot + 1);
    at_slot_[slot] = number;
  }

  dispatch::Poller& poller_;
  const std::size_t most_;
  int listener_ = -1;
  dispatch::Slot listening_ = dispatch::kNoSlot;
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> at_slot_;
};

}  // namespace transfer
