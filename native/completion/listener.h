// The listening end on a completion engine: one multishot accept, and what happens where no descriptor is left.
#pragma once

#ifdef __linux__
#include <string>

#include "completion/engine.h"
#include "net/spare_descriptor.h"
#include "servers/options.h"
#include "servers/statistics.h"

namespace completion {

class Streams;

class Listener {
 public:
  Listener(Engine& engine, const servers::Options& options, servers::Statistics& statistics)
      : engine_(engine), options_(options), statistics_(statistics) {}
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Binds, listens and arms. Returns one sentence on what failed, empty when nothing did.
  std::string open();
  int socket() const noexcept { return fd_; }
  void on_completion(Tag tag, const Completion& row, Streams& streams);
  /// Counts a connection that was turned away, and says why the first time.
  void refused(const char* why);

 private:
  void arm();
  void wait_for_connection();
  void on_starved(Streams& streams);

  Engine& engine_;
  const servers::Options& options_;
  servers::Statistics& statistics_;
  int fd_ = -1;
  bool explained_ = false;
  net::SpareDescriptor spare_;
};

}  // namespace completion
#endif
