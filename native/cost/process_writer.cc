#include "cost/process_writer.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

namespace cost {

ProcessWriter::~ProcessWriter() {
  if (handoff_ == nullptr) return;
  handoff_->ending = true;
  if (child_ > 0) {
    while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {}
  }
  munmap(handoff_, sizeof(Handoff));
}

std::string ProcessWriter::start() {
  void* const shared = mmap(nullptr, sizeof(Handoff), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
  if (shared == MAP_FAILED) return std::string("no memory can be shared with another process: ") + std::strerror(errno);
  handoff_ = new (shared) Handoff;
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");
  const pid_t parent = getpid();
  child_ = fork();
  if (child_ < 0) return std::string("no process can be forked: ") + std::strerror(errno);
  if (child_ == 0) {
    // A parent that was killed says nothing: it is asked for now and then.
    std::uint32_t looks = 0;
    write_as_asked(*handoff_, pairs_, setting_, [&] { return ++looks % 1024 != 0 || getppid() == parent; });
    _exit(0);
  }
  return "";
}

}  // namespace cost
