// What native servers make of what a completion engine brings: a protocol of servers/protocol.h on its connections, an echo
// of its datagrams.
#pragma once

#ifdef __linux__
#include <vector>

#include "completion/datagrams.h"
#include "completion/streams.h"

namespace completion {

template <class Protocol>
class StreamService {
 public:
  StreamService(Engine& engine, const servers::Options& options, servers::Statistics& statistics)
      : statistics_(statistics), streams_(engine, options, statistics) {}

  std::string open() { return streams_.open(); }
  int socket() const noexcept { return streams_.socket(); }
  bool impatient() const noexcept { return streams_.impatient(); }
  void settle() { streams_.settle(); }
  void end_turn() {
    streams_.end_turn();
    streams_.tell_gone(SIZE_MAX, [this](Slot slot) {
      if (slot < states_.size()) states_[slot] = {};
    });
  }

  void on_completion(Tag tag, const Completion& row) {
    streams_.on_completion(tag, row, [this](Slot slot, std::span<const std::byte> bytes) {
      if (slot >= states_.size()) states_.resize(slot + slot / 2 + 64);
      streams_.reply(slot, protocol_.answer(states_[slot], bytes, statistics_));
    });
  }

 private:
  servers::Statistics& statistics_;
  Protocol protocol_;
  std::vector<typename Protocol::State> states_;  // by slot
  Streams streams_;
};

class DatagramEcho : public Datagrams {
 public:
  using Datagrams::Datagrams;

  void on_completion(Tag tag, const Completion& row) {
    Datagrams::on_completion(tag, row, [this](std::uint32_t number, std::span<const std::byte> bytes) {
      reply(number, {bytes, false, servers::Owner::window});
    });
  }
};

}  // namespace completion
#endif
