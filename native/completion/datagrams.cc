#ifdef __linux__
#include "completion/datagrams.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "net/udp_batch.h"

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
    statistics_.bytes_out -= datagrams_[tag.place].bytes.iov_len;
    ++statistics_.unsent;
  });
  if (!all) return;
  datagrams_.clear();
  for (const std::uint32_t place : std::exchange(hungry_, {})) {
    engine_.count_rearm();
    arm(place);
  }
}

// False, counted, when whoever sent it gets no answer.
bool Datagrams::came_from(std::uint32_t place, std::span<const std::byte> received) {
  const auto& head = *reinterpret_cast<const uring::ReceivedMessage*>(received.data());
  sockaddr_storage peer;
  std::memcpy(&peer, received.data() + sizeof head, sizeof peer);
  if (servers::refuses(options_, guard_, peer)) [[unlikely]] {
    ++statistics_.rejected;
    return false;
  }
  Datagram& datagram = datagrams_.emplace_back(Datagram{.place = place, .peer = peer});
  datagram.message.msg_name = &datagram.peer;
  datagram.message.msg_namelen = head.name_length;
  datagram.message.msg_iov = &datagram.bytes;
  datagram.message.msg_iovlen = 1;
  return true;
}

void Datagrams::reply(std::uint32_t number, const servers::Reply& reply) {
  if (number >= datagrams_.size() || datagrams_[number].answered) return;
  Datagram& datagram = datagrams_[number];
  datagram.answered = true;
  std::span<const std::byte> bytes = reply.bytes;
  if (reply.owner == servers::Owner::protocol) {
    datagram.copy.assign(bytes.begin(), bytes.end());
    bytes = datagram.copy;
  }
  datagram.bytes = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  // The tag's place is the datagram's number: of one that did not go the bytes are not counted.
  Submission& entry =
      engine_.deliver(uring::op::sendmsg, sockets_[datagram.place], {Purpose::deliver, 0, number}, bytes);
  entry.address = reinterpret_cast<std::uint64_t>(&datagram.message);
  entry.length = 1;
  entry.op_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  ++statistics_.requests;
  statistics_.bytes_out += bytes.size();
}

}  // namespace completion
#endif
