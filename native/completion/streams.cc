#ifdef __linux__
#include "completion/streams.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "process/usage.h"

namespace completion {
namespace {

// A peer that goes on sending after our FIN is cut off beyond this many bytes, as on the readiness backends.
constexpr std::uint32_t kMostDrained = 1 << 20;
constexpr std::uint64_t kMostSlots = 1 << 20;  // however high the limit of descriptors is

constexpr std::uint32_t kTryOnce = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;
constexpr std::uint32_t kTakeYourTime = MSG_WAITALL | MSG_NOSIGNAL;

void append(std::vector<std::byte>& to, std::span<const std::byte> bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

}  // namespace

Streams::Streams(Engine& engine, const servers::Options& options, servers::Statistics& statistics)
    : engine_(engine), statistics_(statistics), listener_(engine, options, statistics),
      most_(static_cast<Slot>(std::min({process::descriptor_limit().soft, kMostSlots,
                                        std::uint64_t{options.max_connections}}))) {}

Streams::~Streams() {
  engine_.stop();
  for (Slot slot = 0; slot < connections_.size(); ++slot) {
    Connection& connection = connections_[slot];
    if (connection.phase != Phase::closed && !engine_.tuning().direct) ::close(connection.file);
  }
}

std::string Streams::open() {
  if (engine_.tuning().direct) {
    if (const int error = engine_.register_files(std::max(most_, 1u))) {
      return "engine 'uring' cannot have direct descriptors here: " + std::string(std::strerror(error));
    }
  }
  return listener_.open();
}

void Streams::admit(int file) {
  if (statistics_.connections() >= most_) {
    close_file(file);
    listener_.refused("the limit of --max-connections or of descriptors is reached");
    return;
  }
  if (free_.empty()) {
    free_.push_back(static_cast<Slot>(connections_.size()));
    connections_.emplace_back();
  }
  const Slot slot = free_.back();
  free_.pop_back();
  Connection& connection = connections_[slot];
  connection.file = file;
  connection.phase = Phase::open;
  ++statistics_.accepted;
  receive_again(slot);
}

void Streams::receive_again(Slot slot) {
  Connection& connection = connections_[slot];
  connection.receiving = true;
  engine_.on_connection(engine_.arm_receive(connection.file, tag_of(Purpose::receive, slot)));
}

void Streams::on_receive_ended(Slot slot, int result) {
  Connection& connection = connections_[slot];
  if (result == 0) {
    connection.finished = true;
    leave_later(slot);
  } else if (result == -ENOBUFS) {
    hungry_.push_back(slot);
  } else if (result == -ECANCELED || result > 0) {
    // Whoever sends is received from when that is done.
    if (connection.output == nullptr) {
      engine_.count_rearm();
      receive_again(slot);
    }
  } else {
    close_connection(slot);
  }
}

void Streams::reply(Slot slot, const servers::Reply& reply) {
  if (slot >= connections_.size()) return;
  Connection& connection = connections_[slot];
  if (connection.phase != Phase::open) return;
  if (reply.close) connection.phase = Phase::last_reply;
  if (!reply.bytes.empty()) put(slot, connection, reply);
  if (reply.close) leave_later(slot);
}

void Streams::put(Slot slot, Connection& connection, const servers::Reply& reply) {
  if (connection.output != nullptr) {
    append(connection.output->then, reply.bytes);
  } else if (connection.delivery == kNone) {
    connection.delivery = static_cast<std::uint32_t>(deliveries_.size());
    Delivery& delivery = deliveries_.emplace_back(slot, reply.bytes);
    statistics_.bytes_out += reply.bytes.size();
    if (reply.owner != servers::Owner::protocol) return;
    append(delivery.copy, reply.bytes);
    delivery.bytes = delivery.copy;
  } else if (connection.delivery < handed_over_) {
    // Whether what went before went as a whole is not known yet, and this has to go behind it.
    connection.output = std::make_unique<Kept>();
    append(connection.output->then, reply.bytes);
    held_back_ = true;
  } else {
    Delivery& delivery = deliveries_[connection.delivery];
    if (delivery.copy.empty()) append(delivery.copy, delivery.bytes);
    append(delivery.copy, reply.bytes);
    delivery.bytes = delivery.copy;
    statistics_.bytes_out += reply.bytes.size();
  }
}

void Streams::end_turn() {
  for (; handed_over_ < deliveries_.size(); ++handed_over_) {
    const Delivery& delivery = deliveries_[handed_over_];
    const Connection& connection = connections_[delivery.slot];
    if (connection.delivery != handed_over_) continue;  // closed since
    Submission& entry = engine_.deliver(uring::op::send, connection.file, tag_of(Purpose::deliver, delivery.slot),
                                        delivery.bytes);
    entry.address = reinterpret_cast<std::uint64_t>(delivery.bytes.data());
    entry.length = static_cast<std::uint32_t>(delivery.bytes.size());
    entry.op_flags = kTryOnce;
    engine_.on_connection(entry);
  }
}

void Streams::settle() {
  ++turn_;
  const bool all = engine_.settle([this](Tag tag, const Completion& row) { on_short_delivery(tag, row.result); });
  if (!all) return;
  for (const Delivery& delivery : deliveries_) {
    Connection& connection = connections_[delivery.slot];
    connection.delivery = kNone;
    if (connection.output != nullptr && connection.output->first.empty()) flush(delivery.slot);
  }
  deliveries_.clear();
  handed_over_ = 0;
  held_back_ = false;
  for (const Slot slot : std::exchange(leaving_, {})) {
    connections_[slot].leaves = false;
    leave(slot);
  }
  for (const Slot slot : std::exchange(hungry_, {})) {
    const Connection& connection = connections_[slot];
    if (connection.phase == Phase::closed || connection.receiving || connection.output != nullptr) continue;
    engine_.count_rearm();
    receive_again(slot);
  }
  free_.insert(free_.end(), freed_.begin(), freed_.end());
  freed_.clear();
}

void Streams::on_short_delivery(Tag tag, int result) {
  if (!stands(tag)) return;
  Connection& connection = connections_[tag.place];
  if (connection.delivery == kNone) return;
  const std::span<const std::byte> bytes = deliveries_[connection.delivery].bytes;
  const std::span<const std::byte> unsent = bytes.subspan(std::min(bytes.size(), result > 0 ? static_cast<std::size_t>(result) : 0));
  statistics_.bytes_out -= unsent.size();
  if (result < 0 && result != -EAGAIN && result != -EINTR && result != -ENOMEM) {
    connection.output.reset();
    close_connection(tag.place);
    return;
  }
  if (connection.output == nullptr) connection.output = std::make_unique<Kept>();
  append(connection.output->first, unsent);
  // Not to be received from until this has gone (backpressure).
  if (connection.receiving) engine_.cancel(tag_of(Purpose::receive, tag.place));
  flush(tag.place);
}

void Streams::flush(Slot slot) {
  Connection& connection = connections_[slot];
  Kept& kept = *connection.output;
  if (kept.first.empty()) kept.first = std::exchange(kept.then, {});
  Submission& entry = *engine_.want(uring::op::send, connection.file, tag_of(Purpose::flush, slot));
  entry.address = reinterpret_cast<std::uint64_t>(kept.first.data());
  entry.length = static_cast<std::uint32_t>(std::min<std::size_t>(kept.first.size(), 1u << 30));
  entry.op_flags = kTakeYourTime;
  engine_.on_connection(entry);
}

void Streams::on_flush(Tag tag, const Completion& row) {
  if (!stands(tag)) {
    orphans_.erase(tag.word());
    return;
  }
  Connection& connection = connections_[tag.place];
  Kept& kept = *connection.output;
  if (row.result < 0) {
    connection.output.reset();
    close_connection(tag.place);
    return;
  }
  statistics_.bytes_out += static_cast<std::uint64_t>(row.result);
  kept.first.erase(kept.first.begin(), kept.first.begin() + row.result);
  if (!kept.first.empty() || !kept.then.empty()) {
    flush(tag.place);
    return;
  }
  connection.output.reset();
  // What was shown in this turn may still get a reply.
  if (connection.finished || connection.phase == Phase::last_reply) leave_later(tag.place);
  else if (!connection.receiving) receive_again(tag.place);
}

void Streams::drain(Slot slot, std::size_t bytes) {
  Connection& connection = connections_[slot];
  connection.drained += static_cast<std::uint32_t>(bytes);
  if (connection.drained > kMostDrained) close_connection(slot);
}

void Streams::leave_later(Slot slot) {
  Connection& connection = connections_[slot];
  if (connection.output != nullptr || connection.leaves) return;  // on_flush sees to it
  if (connection.delivery == kNone && connection.heard != turn_) {
    leave(slot);
    return;
  }
  connection.leaves = true;
  leaving_.push_back(slot);
}

// All that was replied has gone, or is being sent for as long as it takes.
void Streams::leave(Slot slot) {
  const Connection& connection = connections_[slot];
  if (connection.phase == Phase::closed || connection.output != nullptr) return;
  if (connection.finished) close_connection(slot);
  else if (connection.phase == Phase::last_reply) start_draining(slot);
}

void Streams::start_draining(Slot slot) {
  Connection& connection = connections_[slot];
  connection.phase = Phase::draining;
  if (!connection.receiving) receive_again(slot);
  if (!engine_.tuning().direct) {
    ::shutdown(connection.file, SHUT_WR);
    return;
  }
  Submission& entry = *engine_.want_silently(uring::op::shutdown, connection.file, {});
  entry.length = SHUT_WR;
  engine_.on_connection(entry);
}

void Streams::close_connection(Slot slot) {
  Connection& connection = connections_[slot];
  if (connection.receiving) engine_.cancel(tag_of(Purpose::receive, slot));
  if (connection.output != nullptr && !connection.output->first.empty()) {
    // The kernel may be sending it: it stays until that has ended.
    const Tag tag = tag_of(Purpose::flush, slot);
    engine_.cancel(tag);
    orphans_[tag.word()] = std::move(connection.output);
  }
  close_file(connection.file);
  const std::uint32_t generation = (connection.generation + 1) & Tag::kGenerations;
  connection = Connection{};
  connection.generation = generation;
  gone_.push_back(slot);
  ++statistics_.closed;
}

void Streams::close_file(int file) noexcept {
  const bool direct = engine_.tuning().direct;
  Submission& entry = *engine_.want_silently(uring::op::close, direct ? 0 : file, {});
  if (direct) entry.file_index = static_cast<std::uint32_t>(file) + 1;
}

}  // namespace completion
#endif
