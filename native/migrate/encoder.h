// Threads that make frames, for one that waits on a poller: what they have made is told by a descriptor.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "migrate/source.h"

namespace migrate {

class Encoder {
 public:
  explicit Encoder(Source& source) noexcept : source_(source) {}
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  /// Drops what was asked for and waits for the threads.
  ~Encoder();

  /// One sentence on what failed.
  std::string open(unsigned workers);
  /// Readable when something was made since the last `take`.
  int told() const noexcept { return ends_[0]; }
  void ask(std::uint32_t block, Choice choice);
  /// All that was made, behind what `made` has.
  void take(std::deque<Frame>& made);

 private:
  struct Order {
    std::uint32_t block;
    Choice choice;
  };
  void work();

  Source& source_;
  int ends_[2] = {-1, -1};
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Order> asked_;
  std::deque<Frame> made_;
  bool ending_ = false;
};

}  // namespace migrate
