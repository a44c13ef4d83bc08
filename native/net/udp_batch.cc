#include "net/udp_batch.h"

#include <cerrno>
#include <utility>

namespace net {

namespace {

// recvfrom(2) spares the kernel reading a message header; only Linux lets it tell that a datagram was cut.
template <class Message>
int receive_one(int fd, Message& message, int flags) noexcept {
  msghdr& header = message.msg_hdr;
#if defined(__linux__)
  const iovec& part = header.msg_iov[0];
  auto* const peer = static_cast<sockaddr*>(header.msg_name);
  const ssize_t length = recvfrom(fd, part.iov_base, part.iov_len, flags | MSG_TRUNC, peer, &header.msg_namelen);
  const bool cut = length > static_cast<ssize_t>(part.iov_len);
  header.msg_flags = cut ? MSG_TRUNC : 0;
  if (length >= 0) message.msg_len = static_cast<unsigned>(cut ? part.iov_len : static_cast<std::size_t>(length));
#else
  const ssize_t length = recvmsg(fd, &header, flags);
  if (length >= 0) message.msg_len = static_cast<unsigned>(length);
#endif
  return length < 0 ? -errno : 1;
}

#if defined(__linux__) || defined(__FreeBSD__) || defined(__NetBSD__)
template <class Message>
int receive_many(int fd, Message* messages, std::size_t count, int flags) noexcept {
  const int got = static_cast<int>(recvmmsg(fd, messages, static_cast<unsigned>(count), flags, nullptr));
  return got < 0 ? -errno : got;
}
template <class Message>
int send_many(int fd, Message* messages, std::size_t count) noexcept {
  const int sent = static_cast<int>(sendmmsg(fd, messages, static_cast<unsigned>(count), 0));
  return sent < 0 ? -errno : sent;
}
#else
template <class Message>
int receive_many(int fd, Message* messages, std::size_t count, int flags) noexcept {
  std::size_t done = 0;
  while (done < count) {
    const int got = receive_one(fd, messages[done], done == 0 ? flags : flags | MSG_DONTWAIT);
    if (got < 0) return done > 0 ? static_cast<int>(done) : got;
    ++done;
  }
  return static_cast<int>(done);
}
template <class Message>
int send_many(int fd, Message* messages, std::size_t count) noexcept {
  std::size_t done = 0;
  while (done < count) {
    if (sendmsg(fd, &messages[done].msg_hdr, 0) < 0) return done > 0 ? static_cast<int>(done) : -errno;
    ++done;
  }
  return static_cast<int>(done);
}
#endif

// Slots are an odd number of cache lines apart: a power of two would put them all on the same cache sets.
constexpr std::size_t kCacheLine = 64;

}  // namespace

UdpBatch::UdpBatch(std::size_t capacity, std::size_t slot_bytes)
    : slot_bytes_(slot_bytes),
      stride_(((slot_bytes + kCacheLine - 1) / kCacheLine | 1) * kCacheLine),
      slab_(new std::uint8_t[capacity * stride_]()),
      parts_(capacity),
      peers_(capacity),
      messages_(capacity),
      used_(capacity) {
  for (std::size_t slot = 0; slot < capacity; ++slot) {
    parts_[slot] = {data(slot), slot_bytes_};
    messages_[slot] = {};
    messages_[slot].msg_hdr.msg_iov = &parts_[slot];
    messages_[slot].msg_hdr.msg_iovlen = 1;
  }
}

int UdpBatch::receive(int fd, std::size_t limit, int flags) noexcept {
  for (std::size_t slot = 0; slot < used_; ++slot) {
    messages_[slot].msg_hdr.msg_name = &peers_[slot];
    messages_[slot].msg_hdr.msg_namelen = sizeof peers_[slot];
    parts_[slot].iov_len = slot_bytes_;
  }
  const int got = limit == 1 ? receive_one(fd, messages_[0], flags) : receive_many(fd, messages_.data(), limit, flags);
  used_ = got > 0 ? static_cast<std::size_t>(got) : 0;
  return got;
}

void UdpBatch::move(std::size_t from, std::size_t to) noexcept {
  if (from == to) return;
  std::swap(parts_[from].iov_base, parts_[to].iov_base);
  peers_[to] = peers_[from];
  messages_[to].msg_len = messages_[from].msg_len;
  messages_[to].msg_hdr.msg_namelen = messages_[from].msg_hdr.msg_namelen;
}

int UdpBatch::reply(int fd, std::size_t first, std::size_t count) noexcept {
  for (std::size_t slot = first; slot < first + count; ++slot) parts_[slot].iov_len = messages_[slot].msg_len;
  return send(fd, first, count);
}

void UdpBatch::prepare(std::size_t slot, std::size_t length, const Address* target) noexcept {
  used_ = messages_.size();
  parts_[slot].iov_len = length;
  msghdr& header = messages_[slot].msg_hdr;
  header.msg_name = target == nullptr ? nullptr : const_cast<sockaddr*>(target->raw());
  header.msg_namelen = target == nullptr ? 0 : target->length;
}

int UdpBatch::send(int fd, std::size_t first, std::size_t count) noexcept {
  if (count > 1) return send_many(fd, messages_.data() + first, count);
  // One datagram, the usual case of a quiet socket: the plain call spares the kernel reading message headers.
  const msghdr& header = messages_[first].msg_hdr;
  const auto* target = static_cast<const sockaddr*>(header.msg_name);
  const iovec& part = parts_[first];
  return sendto(fd, part.iov_base, part.iov_len, 0, target, header.msg_namelen) < 0 ? -errno : 1;
}

}  // namespace net
