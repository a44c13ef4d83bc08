#ifdef __linux__
#include "completion/datagrams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "net/udp_batch.h"
#include "servers/udp_echo.h"

namespace completion {

Datagrams::~Datagrams() {
  engine_.stop();
  for (const int fd : sockets_) ::close(fd);
}

std::uint32_t Datagrams::buffer_bytes() noexcept {
  return sizeof(uring::ReceivedMessage) + sizeof(sockaddr_storage) + net::kMaxDatagram + 1;
}

std::string Datagrams::open() {
  if (std::string fault = servers::bind_ports(options_, sockets_); !fault.empty()) return fault;
  statistics_.sockets = sockets_.size();
  guard_ = servers::LoopGuard(net::local_address(sockets_.front()), options_.ports);
  shape_.msg_namelen = sizeof(sockaddr_storage);
  for (std::uint32_t place = 0; place < sockets_.size(); ++place) {
    // io_uring takes O_NONBLOCK for a wish not to wait in the ring either.
    ::fcntl(sockets_[place], F_SETFL, ::fcntl(sockets_[place], F_GETFL) & ~O_NONBLOCK);
    arm(place);
  }
  return "";
}

void Datagrams::arm(std::uint32_t place) {
  Submission& entry = engine_.arm_receive(sockets_[place], {Purpose::receive, 0, place});
  entry.opcode = uring::op::recvmsg;
  entry.address = reinterpret_cast<std::uint64_t>(&shape_);
  entry.length = 1;
}

void Datagrams::settle() {
  const bool all = engine_.settle([this](Tag tag, const Completion&) {
    // A datagram goes as a whole or not at all, and is not tried again: waiting would hold up every other port.
    --statistics_.requests;
    statistics_.bytes_out -= replies_[tag.place].bytes.iov_len;
    ++statistics_.unsent;
  });
  if (!all) return;
  replies_.clear();
  for (const std::uint32_t place : std::exchange(hungry_, {})) {
    engine_.count_rearm();
    arm(place);
  }
}

void Datagrams::on_completion(Tag tag, const Completion& row) {
  if ((row.flags & uring::completed::has_buffer) != 0) answer(tag.place, engine_.received(row));
  if ((row.flags & uring::completed::more) == 0) hungry_.push_back(tag.place);
}

void Datagrams::answer(std::uint32_t place, std::span<std::byte> received) {
  constexpr std::size_t kHead = sizeof(uring::ReceivedMessage) + sizeof(sockaddr_storage);
  if (received.size() < kHead) return;
  const auto& head = *reinterpret_cast<const uring::ReceivedMessage*>(received.data());
  Reply reply{};
  std::memcpy(&reply.peer, received.data() + sizeof head, sizeof reply.peer);
  const std::span<std::byte> bytes = received.subspan(kHead);
  statistics_.bytes_in += bytes.size();
  if (servers::refuses(options_, guard_, reply.peer)) [[unlikely]] {
    ++statistics_.rejected;
    return;
  }
  reply.bytes = {bytes.data(), bytes.size()};
  Reply& kept = replies_.emplace_back(reply);
  kept.message.msg_name = &kept.peer;
  kept.message.msg_namelen = head.name_length;
  kept.message.msg_iov = &kept.bytes;
  kept.message.msg_iovlen = 1;
  // The tag's place is the reply's: of one that did not go the bytes are not counted.
  Submission& entry = *engine_.want_silently(
      uring::op::sendmsg, sockets_[place], {Purpose::deliver, 0, static_cast<std::uint32_t>(replies_.size() - 1)});
  entry.address = reinterpret_cast<std::uint64_t>(&kept.message);
  entry.length = 1;
  entry.op_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  ++statistics_.requests;
  statistics_.bytes_out += bytes.size();
}

}  // namespace completion
#endif
