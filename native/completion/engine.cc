#ifdef __linux__
#include "completion/engine.h"

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "process/json_line.h"
#include "uring/availability.h"

namespace completion {
namespace {

// Room between two enters. More is handed over early, which costs a system call; completions beyond the queue cost one too.
constexpr std::uint32_t kSubmissions = 4096, kCompletions = 32768;

constexpr struct {
  std::uint32_t flag;
  const char* name;
} kSetupNames[] = {
    {uring::setup::single_issuer, "single_issuer"}, {uring::setup::deferred, "defer_taskrun"},
    {uring::setup::cooperative, "coop_taskrun"},    {uring::setup::submit_all, "submit_all"},
    {uring::setup::no_array, "no_sqarray"},         {uring::setup::thread, "sqpoll"},
};

}  // namespace

std::string Engine::open(std::uint32_t bytes) {
  tuning_.bytes = bytes;
  const auto refusal = [](int error) {
    return "engine 'uring' is not available here: " + uring::why_not(error, uring::circumstances());
  };
  if (const int error = ring_.open({.submissions = kSubmissions,
                                    .completions = kCompletions,
                                    .register_descriptor = tuning_.registered,
                                    .polling_thread = tuning_.polling_thread})) {
    return refusal(error);
  }
  if (tuning_.wait_us > 0 && (ring_.features() & uring::feature::least_wait) == 0) {
    return "engine 'uring' cannot wait for a batch here: this kernel has no least wait (Linux 6.12)";
  }
  if (tuning_.bundle && (ring_.features() & uring::feature::bundles) == 0) {
    return "engine 'uring' cannot receive in bundles here: this kernel cannot (Linux 6.10)";
  }
  if (const int error = buffers_.open(ring_, kGroup, tuning_.buffers, bytes, tuning_.incremental)) {
    if (error != EINVAL) return refusal(error);
    return tuning_.incremental ? "engine 'uring' cannot fill buffers incrementally here: this kernel cannot (Linux 6.12)"
                               : "engine 'uring' is not available here: this kernel has no provided buffers (Linux 5.19)";
  }
  held_.open();
  if (const int error = try_out()) {
    return error == EINVAL ? "engine 'uring' is not available here: this kernel has no multishot receive (Linux 6.0)"
                           : refusal(error);
  }
  const std::uint32_t from = tuning_.zero_copy;
  if (from > 0 && !(ring_.supports(uring::op::send_zero_copy) && ring_.supports(uring::op::sendmsg_zero_copy))) {
    return "engine 'uring' cannot send without copying here: this kernel cannot (Linux 6.1)";
  }
  if (tuning_.napi_us > 0) {
    uring::BusyPoll napi = {};
    napi.microseconds = tuning_.napi_us;
    if (ring_.register_with(uring::registering::busy_poll, &napi, 1) < 0) {
      return "engine 'uring' cannot poll network devices here: this kernel has no NAPI busy poll for rings (Linux 6.9)";
    }
  }
  return "";
}

// Receives a byte as every connection will, because no list of features names it.
int Engine::try_out() noexcept {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  arm_receive(ends[0], {Purpose::nothing, 0, 0});
  int error = ::send(ends[1], "", 1, MSG_NOSIGNAL) == 1 ? 0 : errno;
  ::shutdown(ends[1], SHUT_WR);
  bool goes_on = true;
  while (error == 0 && goes_on) {
    error = ring_.enter(1, uring::kForever);
    ring_.take(UINT32_MAX, [&](const Completion& row) {
      if ((row.flags & uring::completed::has_buffer) != 0) received(row, [](std::span<std::byte>) {});
      goes_on = (row.flags & uring::completed::more) != 0;
      if (row.result < 0 && row.result != -ENOBUFS) error = -row.result;  // of a single buffer there is none left
    });
    ring_.look([](const Completion&) {});
  }
  ::close(ends[0]);
  ::close(ends[1]);
  held_.give_back();
  return error;
}

std::string Engine::facts() const {
  std::string setup;
  for (const auto& [flag, name] : kSetupNames) {
    if ((ring_.flags() & flag) != 0) setup += (setup.empty() ? "\"" : ",\"") + std::string(name) + "\"";
  }
  process::JsonLine line;
  line.string("name", "uring")
      .raw("setup", "[" + setup + "]")
      .boolean("registeredRing", ring_.registered())
      .boolean("directDescriptors", tuning_.direct)
      .boolean("incrementalBuffers", tuning_.incremental)
      .boolean("bundles", tuning_.bundle)
      .number("buffers", buffers_.count())
      .number("bufferBytes", buffers_.bytes())
      .number("batch", tuning_.batch)
      .number("waitUs", tuning_.wait_us)
      .number("zeroCopyBytes", tuning_.zero_copy)
      .number("napiUs", tuning_.napi_us);
  std::string burns;
  if (tuning_.polling_thread) {
    burns = "a thread of the kernel polls for submissions: up to one CPU, also while nothing is sent";
  }
  if (tuning_.napi_us > 0) {
    burns += std::string(burns.empty() ? "" : "; ") + "each wait polls the network device for up to " +
             std::to_string(tuning_.napi_us) + " microseconds before it sleeps: the server's CPU, also while nothing comes";
  }
  if (burns.empty()) line.null("burns");
  else line.string("burns", burns);
  return line.text();
}

dispatch::Counters Engine::counters() const noexcept {
  dispatch::Counters counters = counters_;
  const uring::Counters& ring = ring_.counters();
  counters.waits = ring.waits;
  counters.raw_events = ring.completions;
  counters.change_calls = ring.enters - ring.waits;
  counters.submissions = ring.submissions;
  return counters;
}

Submission* Engine::want(std::uint8_t operation, int file, Tag tag) noexcept {
  Submission* const entry = ring_.next();
  if (entry == nullptr) [[unlikely]] {
    // Nothing was handed over for want of memory. What is lost here cannot be made good: the loop ends with this error.
    static thread_local Submission lost;
    error_ = EAGAIN;
    return &(lost = Submission{});
  }
  entry->opcode = operation;
  entry->fd = file;
  entry->user_data = tag.word();
  return entry;
}

Submission* Engine::want_silently(std::uint8_t operation, int file, Tag tag) noexcept {
  Submission* const entry = want(operation, file, tag);
  entry->flags = uring::use::skip_success;
  return entry;
}

Submission& Engine::arm_receive(int file, Tag tag) noexcept {
  Submission& entry = *want(uring::op::recv, file, tag);
  entry.flags = uring::use::buffer_select;
  entry.priority = uring::multishot::recv | (tuning_.bundle ? uring::kReceiveBundle : std::uint16_t{0});
  entry.buffer_group = kGroup;
  return entry;
}

Submission& Engine::deliver(std::uint8_t operation, int file, Tag tag, std::span<const std::byte> bytes) {
  if (tuning_.zero_copy > 0 && bytes.size() >= tuning_.zero_copy) {
    const std::uint32_t hold = held_.hold(bytes, tag.word());
    if (hold != HeldBuffers::kNone) {
      const bool message = operation == uring::op::sendmsg;
      Submission& entry = *want(message ? uring::op::sendmsg_zero_copy : uring::op::send_zero_copy, file,
                                {Purpose::deliver_uncopied, 0, hold});
      entry.priority = uring::kReportCopies;
      return entry;
    }
  }
  return *want_silently(operation, file, tag);
}

void Engine::cancel(Tag tag) noexcept {
  want_silently(uring::op::cancel, -1, {})->address = tag.word();
}

void Engine::watch(int fd, std::uint32_t place) noexcept {
  Submission& entry = *want(uring::op::poll_add, fd, {Purpose::control, 0, place});
  entry.length = uring::kPollMultishot;
  entry.op_flags = POLLIN;
}

int Engine::enter(bool impatient, std::int64_t timeout_ns) noexcept {
  if (error_ != 0) return error_;
  const bool waits = !impatient && ring_.ready() == 0;
  int error = ring_.enter(waits ? tuning_.batch : 0, timeout_ns, tuning_.wait_us);
  // The kernel is short of memory for the moment, and has left some in the queue: bytes of replies are valid until now only.
  while (!tuning_.polling_thread && ring_.queued() > 0 && (error == 0 || error == EAGAIN || error == EINTR)) {
    ::sched_yield();
    error = ring_.submit();
  }
  if (error == EINTR) {
    ++counters_.interrupted;
    return 0;
  }
  // Too many completions wait to be taken; taking some helps.
  return error == EBUSY || error == EAGAIN ? 0 : error;
}

// Its bytes are read no more.
void Engine::on_gone(std::uint32_t hold, const Completion& row) {
  held_.release(hold);
  const bool copied = (row.flags & uring::completed::notification) != 0 &&
                      (static_cast<std::uint32_t>(row.result) & uring::kWasCopied) != 0;
  if (!copied || copies_) return;
  copies_ = true;
  std::fputs("dispatchbench: zerocopy: the kernel copied what it sent all the same, as over loopback and veth\n", stderr);
}

int Engine::register_files(std::uint32_t count) noexcept {
  uring::ResourceRegistration table = {.count = count, .flags = uring::kSparse, .reserved = 0, .data = 0, .tags = 0};
  const int result = ring_.register_with(uring::registering::files, &table, sizeof table);
  return result < 0 ? -result : 0;
}

}  // namespace completion
#endif
