// An append-only log of records in a folder, for programs whose loop must not wait for the disk: what was appended since the
// last sync goes out with one write and one fdatasync on a thread of its own (group commit), and a pipe says when.
//
// A segment is a file: 8 bytes of magic and version, then records. A record is its length (u32), flags (u32), a checksum of
// both and of what follows (u64, XXH64), all little-endian, then its bytes. A record that `begins` stands for everything
// before it: it is the first of a new segment, and older segments go once it is durable. Of the newest segment a torn tail is
// cut off: what was not synced was promised to nobody. Any other damage is refused.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "process/clock.h"

namespace quorum {

/// Longest record, bytes.
inline constexpr std::size_t kMostRecord = 1U << 30;

using Bytes = std::vector<std::byte>;

class Log {
 public:
  /// What reached the disk so far.
  struct Progress {
    std::uint64_t number = 0;            ///< records up to this one survive a crash
    std::uint64_t syncs = 0;
    std::uint64_t bytes = 0;             ///< written, framing included
    process::Nanoseconds busy = 0;       ///< time in write and fdatasync, all together
    process::Nanoseconds last_ended = 0; ///< when the last one ended, by the machine's monotonic clock
    process::Nanoseconds last_took = 0;
    int error = 0;                       ///< errno of a write or sync that failed: nothing is written any more
  };

  /// Opens or makes a log in a folder that is there. `syncs`: records count as durable when fdatasync says so; without, as
  /// soon as the kernel has them, so that they survive the process and not the machine. Null with one sentence in `fault`.
  static std::unique_ptr<Log> open(const std::string& folder, bool syncs, std::string& fault);

  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  /// Writes what was appended, and syncs it.
  ~Log();

  /// What was there when it was opened, from the last record that begins on. Handed out once.
  std::vector<Bytes> take_recovered() noexcept { return std::move(recovered_); }
  /// Bytes of a torn tail that were cut off then.
  std::size_t torn_bytes() const noexcept { return torn_; }

  /// Appends a record and returns its number, from 1 on. Ask progress() when it is durable.
  std::uint64_t append(std::span<const std::byte> record, bool begins);

  /// Readable when there is progress; -1 without syncs: then every append is all there is to it.
  int descriptor() const noexcept { return pipe_[0]; }
  /// Empties the pipe.
  Progress progress();

 private:
  /// Framed records of one segment, written together.
  struct Chunk {
    Bytes bytes;
    std::uint64_t last = 0;
    bool begins = false;
  };

  explicit Log(std::string folder) : folder_(std::move(folder)) {}
  bool recover(std::string& fault);
  bool start(std::string& fault);
  void work();
  /// 0 or an errno.
  int write_out(const std::vector<Chunk>& chunks);
  int begin_segment();
  void remove_older() const;
  void notify() const noexcept;
  std::string path_of(std::uint64_t segment) const;

  const std::string folder_;
  std::vector<Bytes> recovered_;
  std::size_t torn_ = 0;
  bool syncs_ = false;
  std::uint64_t segment_ = 0;  ///< number of the newest
  int file_ = -1;
  int folder_file_ = -1;
  int pipe_[2] = {-1, -1};
  std::uint64_t appended_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Chunk> pending_;
  Progress progress_;
  bool stops_ = false;
  std::thread worker_;
};

}  // namespace quorum
