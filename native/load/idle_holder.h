// Opens connections and holds them, silent: what select and poll have to look at although nothing happens there.
// What the server ends is opened again and counted, because a server that drops idle connections falsifies a sweep.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "load/dialer.h"
#include "load/worker.h"

namespace load {

struct IdlePlan {
  std::string backend;  ///< of the holder's own poller
  DialPlan dial;
};

enum class IdlePhase : std::uint8_t { connecting, standing, failed };

class IdleHolder final : public Worker {
 public:
  explicit IdleHolder(IdlePlan plan) : plan_(std::move(plan)) {}
  ~IdleHolder() override {
    stop();
    join();
  }

  /// Readable from any thread at any time.
  struct Progress {
    std::atomic<IdlePhase> phase{IdlePhase::connecting};  ///< stays `standing` once all have stood
    std::atomic<std::uint32_t> standing{0};
    std::atomic<std::uint64_t> reconnects{0};
    std::atomic<std::uint64_t> unexpected_bytes{0};
    std::array<std::atomic<std::uint64_t>, kErrorNames.size()> failures{};
    std::atomic<Nanoseconds> elapsed{0};  ///< until all stood
    std::atomic<int> error{0};            ///< errno of `failed`
  };
  const IdlePlan& plan() const noexcept { return plan_; }
  const Progress& progress() const noexcept { return progress_; }

 private:
  void run() override;
  void fail(int error) noexcept;
  /// Takes an event of a standing connection: the server spoke or ended it.
  void hear(Dialer& dialer, std::uint32_t id);
  void publish(const Dialer& dialer, Nanoseconds now) noexcept;

  IdlePlan plan_;
  Progress progress_;
};

}  // namespace load
