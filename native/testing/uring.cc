// Rings of io_uring without a server around them: the words for their absence, a filter that refuses them, and a ring that is
// too small for what goes through it.
#include "testing/uring.h"

#include <cerrno>
#include <cstddef>
#include <vector>

#include "uring/availability.h"

#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "uring/buffers.h"
#endif

namespace testing {
namespace {

Napi::Object told(Napi::Env env, int error, const std::string& reason) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("error", error);
  result.Set("reason", reason);
  return result;
}

/// uringReason(error, disabled, filtered, lockableBytes) -> string; a negative lockableBytes is no limit
Napi::Value reason(const Napi::CallbackInfo& info) {
  const auto number = [&info](std::size_t at) { return info[at].As<Napi::Number>().Int64Value(); };
  const std::int64_t lockable = number(3);
  const uring::Circumstances here = {
      .disabled = static_cast<int>(number(1)),
      .filtered = info[2].As<Napi::Boolean>().Value(),
      .lockable = lockable < 0 ? UINT64_MAX : static_cast<std::uint64_t>(lockable),
  };
  return Napi::String::New(info.Env(), uring::why_not(static_cast<int>(number(0)), here));
}

/// uringProbe() -> {error, reason}
Napi::Value probe(const Napi::CallbackInfo& info) {
  const uring::Absence absence = uring::probe();
  return told(info.Env(), absence.error, absence.reason);
}

#ifdef __linux__
/// denyUring(errno): from now on io_uring_setup fails with it in this process and those that it starts. -> errno or 0
Napi::Value deny(const Napi::CallbackInfo& info) {
  constexpr std::uint32_t kSetup = 425;
  const auto error = info[0].As<Napi::Number>().Uint32Value();
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSetup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {.len = std::size(rules), .filter = rules};
  const bool done = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
  return Napi::Number::New(info.Env(), done ? 0 : errno);
}

/// uringThrough(submissions, completions, sockets, buffers, messages) -> {error, received, flags, enters, waits, submissions,
/// completions, overflows, shortages}: so many socket pairs, a multishot receive on each, and `messages` bytes written to
/// each at once, then all taken; the numbers of the bytes received are summed in `sum`.
Napi::Value through(const Napi::CallbackInfo& info) {
  const auto number = [&info](std::size_t at) { return info[at].As<Napi::Number>().Uint32Value(); };
  const std::uint32_t sockets = number(2), messages = number(4);
  uring::Ring ring;
  uring::BufferRing buffers;
  int error = ring.open({.submissions = number(0), .completions = number(1)});
  if (error == 0) error = buffers.open(ring, 1, number(3), 16);
  if (error != 0) return told(info.Env(), error, uring::why_not(error, uring::circumstances()));

  std::vector<int> near(sockets), far(sockets);
  const auto arm = [&](std::uint64_t which) {
    uring::Submission* const entry = ring.next();
    entry->opcode = uring::op::recv;
    entry->flags = uring::use::buffer_select;
    entry->priority = uring::multishot::recv;
    entry->fd = near[which];
    entry->buffer_group = 1;
    entry->user_data = which;
  };
  for (std::uint32_t i = 0; i < sockets; ++i) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) return told(info.Env(), errno, "socketpair");
    near[i] = ends[0], far[i] = ends[1];
    arm(i);
  }
  if (error = ring.submit(); error != 0) return told(info.Env(), error, "submit");
  for (std::uint32_t message = 0; message < messages; ++message) {
    for (std::uint32_t i = 0; i < sockets; ++i) {
      const char byte = static_cast<char>(message % 128);
      if (::send(far[i], &byte, 1, 0) != 1) return told(info.Env(), errno, "send");
    }
  }
  std::vector<std::uint32_t> expected(sockets);
  std::uint32_t received = 0, shortages = 0, disordered = 0;
  while (received < sockets * messages) {
    if (error = ring.enter(1, 5'000'000'000); error != 0) return told(info.Env(), error, "enter");
    if (ring.ready() == 0) return told(info.Env(), ETIME, "nothing came");
    ring.take(UINT32_MAX, [&](const uring::Completion& row) {
      if ((row.flags & uring::completed::has_buffer) != 0) {
        const auto look = [&](std::span<std::byte> bytes) {
          ++received;
          if (static_cast<std::uint32_t>(bytes[0]) != expected[row.user_data]++ % 128) ++disordered;
        };
        buffers.received(row, look, [&](std::uint16_t id) { buffers.give(id); });
      } else if (row.result == -ENOBUFS) {
        ++shortages;
      }
      if ((row.flags & uring::completed::more) == 0) arm(row.user_data);
    });
    buffers.publish();
  }
  for (std::uint32_t i = 0; i < sockets; ++i) ::close(near[i]), ::close(far[i]);
  Napi::Object result = told(info.Env(), 0, "");
  const uring::Counters& counters = ring.counters();
  const auto tell = [&result](const char* name, auto value) { result.Set(name, static_cast<double>(value)); };
  tell("received", received);
  tell("disordered", disordered);
  tell("shortages", shortages);
  tell("flags", ring.flags());
  tell("enters", counters.enters);
  tell("waits", counters.waits);
  tell("submissions", counters.submissions);
  tell("completions", counters.completions);
  tell("overflows", counters.overflows);
  return result;
}
#endif

}  // namespace

void export_uring(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, function));
  };
  add("uringReason", reason);
  add("uringProbe", probe);
#ifdef __linux__
  add("denyUring", deny);
  add("uringThrough", through);
#endif
}

}  // namespace testing
