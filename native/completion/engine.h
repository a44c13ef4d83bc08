// A completion engine: what is wanted is handed over, and what came of it is told. It stands beside the readiness backends
// of native/dispatch and is none of them: nobody asks whether a socket is ready.
//
// A turn is one enter(): it hands over everything that was queued since the last one, waits, and is followed by take(), which
// shows what came. What is sent by deliver() is tried by the kernel within enter() and never later (MSG_DONTWAIT), so its
// bytes have to stay as they are until then and no longer: settle() says when.
#pragma once

#ifdef __linux__
#include <string>

#include "completion/held_buffers.h"
#include "completion/tuning.h"
#include "dispatch/facts.h"
#include "uring/buffers.h"
#include "uring/ring.h"

namespace completion {

using uring::Completion;
using uring::Submission;

/// What a submission was for; travels with it.
enum class Purpose : std::uint8_t {
  nothing,    ///< its completion says nothing that anybody needs
  accept,
  connection_waits,  ///< a look at the listener while no descriptor is left
  control,
  receive,
  deliver,    ///< tried at once; a completion means that not all of it went
  deliver_uncopied,  ///< the same without copying; it tells how much went, and later that the bytes are read no more
  flush,      ///< takes as long as it takes
};

/// What a submission is known by: its purpose, and a place in a table whose holder may have changed since.
struct Tag {
  Purpose purpose = Purpose::nothing;
  std::uint32_t generation = 0;  ///< 24 bits
  std::uint32_t place = 0;

  static constexpr std::uint32_t kGenerations = 0xffffff;
  constexpr std::uint64_t word() const noexcept {
    return static_cast<std::uint64_t>(purpose) << 56 | static_cast<std::uint64_t>(generation & kGenerations) << 32 | place;
  }
  static constexpr Tag of(std::uint64_t word) noexcept {
    return {static_cast<Purpose>(word >> 56), static_cast<std::uint32_t>(word >> 32) & kGenerations,
            static_cast<std::uint32_t>(word)};
  }
};

class Engine {
 public:
  explicit Engine(const Tuning& tuning) : tuning_(tuning) {}
  ~Engine() { stop(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Opens the ring and its buffers, and tries whether the kernel has what all of it needs. `bytes`: room of a buffer.
  /// Returns one sentence on what failed, empty when nothing did.
  std::string open(std::uint32_t bytes);
  /// Ends all that is armed or under way: from now on no memory of this process is written to or sent.
  void stop() noexcept { ring_.cancel_all(); }
  const Tuning& tuning() const noexcept { return tuning_; }
  /// What was got, as the server contract spells it (JSON).
  std::string facts() const;
  dispatch::Counters counters() const noexcept;

  /// A place to describe what is wanted; never null: when the kernel takes no more, enter() says so.
  Submission* want(std::uint8_t operation, int file, Tag tag) noexcept;
  /// The same of something whose success needs no completion.
  Submission* want_silently(std::uint8_t operation, int file, Tag tag) noexcept;
  /// Files of the ring's own table from now on, where `direct` was asked for.
  void on_connection(Submission& entry) const noexcept {
    if (tuning_.direct) entry.flags |= uring::use::direct;
  }
  Submission& arm_receive(int file, Tag tag) noexcept;
  /// To send `bytes` by op::send or op::sendmsg, tried once. Nothing but address, length and flags of the call is left to fill
  /// in. Where zerocopy was asked for and the bytes lie in the engine's buffers, these are kept until they have gone.
  Submission& deliver(std::uint8_t operation, int file, Tag tag, std::span<const std::byte> bytes);
  /// Ends what is armed under `tag`; its last completion comes with ECANCELED.
  void cancel(Tag tag) noexcept;
  /// Reports each time that a descriptor has something to read.
  void watch(int fd, std::uint32_t place) noexcept;

  /// Hands over, and waits unless `impatient`, at most `timeout_ns`. Without a polling thread all that was wanted has been
  /// tried when it returns. 0 or an errno.
  int enter(bool impatient, std::int64_t timeout_ns = uring::kForever) noexcept;

  /// After enter(): calls visit(Tag, Completion) for each delivery that did not go as a whole. True when everything handed
  /// over has been tried: bytes of deliveries may change, and buffers go back to the kernel.
  template <class Visit>
  bool settle(Visit visit) {
    const bool all = ring_.queued() == 0;
    ring_.look([&](const Completion& row) {
      const Tag tag = Tag::of(row.user_data);
      if (tag.purpose == Purpose::deliver) visit(tag, row);
      if (tag.purpose != Purpose::deliver_uncopied || (row.flags & uring::completed::notification) != 0) return;
      if (row.result < 0 || static_cast<std::size_t>(row.result) < held_.size_of(tag.place)) {
        visit(Tag::of(held_.word_of(tag.place)), row);
      }
    });
    if (all) held_.give_back();
    return all;
  }
  /// Calls visit(Tag, Completion) for at most `most` other completions. Returns how many came.
  template <class Visit>
  std::uint32_t take(std::uint32_t most, Visit visit) {
    std::uint32_t told = 0;
    const std::uint32_t looked = ring_.looked();
    ring_.take(most < looked ? most : looked, [&](const Completion& row) {
      const Tag tag = Tag::of(row.user_data);
      if (tag.purpose == Purpose::deliver || tag.purpose == Purpose::nothing) return;
      if (tag.purpose == Purpose::deliver_uncopied) [[unlikely]] {
        if ((row.flags & uring::completed::more) == 0) on_gone(tag.place, row);
        return;
      }
      ++told;
      ++counters_.events;
      visit(tag, row);
    });
    if (told == 0) ++counters_.empty_waits;
    if (ring_.ready() > 0) ++counters_.saturated_waits;
    return told;
  }

  /// Calls part(bytes) for each stretch of memory that a receive filled, in order; there are several in a bundle only. The
  /// bytes stay until the next settle() that says so.
  template <class Part>
  void received(const Completion& row, Part part) {
    buffers_.received(row, part, [this](std::uint16_t id) { held_.spend(id); });
  }
  void count_stale() noexcept { ++counters_.stale; }
  void count_rearm() noexcept { ++counters_.rearms; }

  int register_files(std::uint32_t count) noexcept;

 private:
  static constexpr std::uint16_t kGroup = 1;
  std::string lacks(int error) const;
  int try_out() noexcept;
  void on_gone(std::uint32_t hold, const Completion& row);

  Tuning tuning_;
  uring::Ring ring_;
  uring::BufferRing buffers_;
  HeldBuffers held_{buffers_};
  dispatch::Counters counters_;       // what the ring does not count itself
  int error_ = 0;
  bool copies_ = false;  // in spite of zerocopy, which was said
};

}  // namespace completion
#endif
