// Many datagrams per system call: recvmmsg and sendmmsg where they exist, one plain call per datagram elsewhere.
// Buffers, addresses and message headers are laid out once, so a batch costs nothing but the calls.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "net/udp_socket.h"

#ifndef MSG_WAITFORONE
#define MSG_WAITFORONE 0  // where there is no recvmmsg: only the first of the plain calls ever waits
#endif

namespace net {

inline constexpr std::size_t kMaxDatagram = 65'535;

class UdpBatch {
 public:
  /// `capacity` datagrams of at most `slot_bytes` each.
  UdpBatch(std::size_t capacity, std::size_t slot_bytes);

  std::size_t capacity() const noexcept { return messages_.size(); }
  std::size_t slot_bytes() const noexcept { return slot_bytes_; }
  std::uint8_t* data(std::size_t slot) noexcept { return slab_.get() + slot * stride_; }

  /// Receives what is there, at most `limit` datagrams into slots 0.., with the flags of recvmmsg(2). Returns how many,
  /// or a negative errno (-EAGAIN: none). Fewer than `limit` means that the socket was empty. With a limit of 1 it is the
  /// plain call.
  int receive(int fd, std::size_t limit, int flags = 0) noexcept;
  std::size_t length(std::size_t slot) const noexcept { return messages_[slot].msg_len; }
  /// The datagram was longer than a slot; length() is what fitted.
  bool truncated(std::size_t slot) const noexcept { return (messages_[slot].msg_hdr.msg_flags & MSG_TRUNC) != 0; }
  const sockaddr_storage& peer(std::size_t slot) const noexcept { return peers_[slot]; }

  /// Makes received slot `from` the content of slot `to`, so that some can be left out of a reply.
  void move(std::size_t from, std::size_t to) noexcept;
  /// Sends received slots [first, first + count) back to where each came from. Returns as send() does.
  int reply(int fd, std::size_t first, std::size_t count) noexcept;

  /// Describes slot `slot` for send(): `length` bytes of data(slot) to `target` (null: the connected peer).
  void prepare(std::size_t slot, std::size_t length, const Address* target) noexcept;
  /// Sends prepared slots [first, first + count). Returns how many went, or a negative errno when not even the first.
  int send(int fd, std::size_t first, std::size_t count) noexcept;

 private:
#if defined(__linux__) || defined(__FreeBSD__) || defined(__NetBSD__)
  using Message = mmsghdr;
#else
  struct Message {
    msghdr msg_hdr;
    unsigned msg_len;
  };
#endif
  std::size_t slot_bytes_;
  std::size_t stride_;
  std::unique_ptr<std::uint8_t[]> slab_;
  std::vector<iovec> parts_;
  std::vector<sockaddr_storage> peers_;
  std::vector<Message> messages_;
  std::size_t used_;  // slots whose lengths the last call changed: only they are made ready again
};

}  // namespace net
