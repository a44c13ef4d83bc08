// io_uring as the kernel speaks it (Linux uapi, linux/io_uring.h): the part that is used here. Spelled out, because the
// headers of the machine that builds may be older than the kernel it runs on, and lack names or all of it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uring {

/// One submission. Fields that the kernel overlays carry the name of the use they have here.
struct Submission {
  std::uint8_t opcode;
  std::uint8_t flags;          ///< Use
  std::uint16_t priority;      ///< flags of accept, recv and send, by their operation
  std::int32_t fd;             ///< descriptor, or index of a direct one
  std::uint64_t offset;
  std::uint64_t address;
  std::uint32_t length;
  std::uint32_t op_flags;      ///< MSG_*, poll events, accept4's, cancel's
  std::uint64_t user_data;     ///< comes back in the completion
  std::uint16_t buffer_group;
  std::uint16_t personality;
  std::uint32_t file_index;    ///< of a new direct descriptor, plus one
  std::uint64_t address3;
  std::uint64_t reserved;
};
static_assert(sizeof(Submission) == 64 && offsetof(Submission, user_data) == 32 && offsetof(Submission, file_index) == 44);

struct Completion {
  std::uint64_t user_data;
  std::int32_t result;   ///< or a negative errno
  std::uint32_t flags;   ///< Completed
};
static_assert(sizeof(Completion) == 16);

struct SubmissionOffsets {
  std::uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, reserved;
  std::uint64_t user_address;
};
struct CompletionOffsets {
  std::uint32_t head, tail, ring_mask, ring_entries, overflow, completions, flags, reserved;
  std::uint64_t user_address;
};
struct Parameters {
  std::uint32_t submissions, completions, flags, thread_cpu, thread_idle_ms, features, worker_queue, reserved[3];
  SubmissionOffsets submission;
  CompletionOffsets completion;
};
static_assert(sizeof(Parameters) == 120);

/// One buffer of a provided-buffer ring. The ring's tail lies in `tail` of the first.
struct ProvidedBuffer {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t id;
  std::uint16_t tail;
};
static_assert(sizeof(ProvidedBuffer) == 16);

struct BufferRingRegistration {
  std::uint64_t address;
  std::uint32_t entries;
  std::uint16_t group, flags;
  std::uint64_t reserved[3];
};
struct ResourceRegistration {
  std::uint32_t count, flags;
  std::uint64_t reserved, data, tags;
};
struct ResourceUpdate {
  std::uint32_t offset, reserved;
  std::uint64_t data;
};
struct WaitArgument {
  std::uint64_t signals;
  std::uint32_t signals_size, least_wait_us;  ///< the latter since Linux 6.12
  std::uint64_t timeout;
};
struct SyncCancel {
  std::uint64_t address;
  std::int32_t fd;
  std::uint32_t flags;
  std::int64_t seconds, nanoseconds;
  std::uint64_t reserved[4];
};
/// Which operations a kernel has.
struct OperationProbe {
  std::uint8_t last, count;
  std::uint16_t reserved;
  std::uint32_t reserved2[3];
  struct Operation {
    std::uint8_t opcode, reserved;
    std::uint16_t flags;  ///< kOperationSupported
    std::uint32_t reserved2;
  } operations[256];
};
static_assert(sizeof(OperationProbe::Operation) == 8 && offsetof(OperationProbe, operations) == 16);
inline constexpr std::uint16_t kOperationSupported = 1 << 0;
struct BusyPoll {
  std::uint32_t microseconds;
  std::uint8_t preferred, operation, reserved[2];
  std::uint32_t parameter, reserved2;
};
static_assert(sizeof(BusyPoll) == 16);
/// What a multishot recvmsg puts before each datagram: this, then the name and the control data at the lengths asked for.
struct ReceivedMessage {
  std::uint32_t name_length, control_length, payload_length, flags;
};

namespace op {
inline constexpr std::uint8_t poll_add = 6, poll_remove = 7, sendmsg = 9, recvmsg = 10, accept = 13, cancel = 14, close = 19,
                              send = 26, recv = 27, epoll_ctl = 29, shutdown = 34,
                              send_zero_copy = 47, sendmsg_zero_copy = 48;  // Linux 6.0, 6.1
}

/// Submission::flags.
namespace use {
inline constexpr std::uint8_t direct = 1 << 0, link = 1 << 2, buffer_select = 1 << 5, skip_success = 1 << 6;
}

/// Submission::priority, by operation.
namespace multishot {
inline constexpr std::uint16_t accept = 1 << 0, recv = 1 << 1;
}
inline constexpr std::uint16_t kReceiveBundle = 1 << 4;      // Linux 6.10
inline constexpr std::uint16_t kReportCopies = 1 << 3;       // Submission::priority of sends without copying, Linux 6.2
inline constexpr std::uint32_t kPollMultishot = 1 << 0;      // Submission::length of poll_add
inline constexpr std::uint32_t kAllocateIndex = UINT32_MAX;  // Submission::file_index of accept
namespace cancelling {
inline constexpr std::uint32_t all = 1 << 0, by_fd = 1 << 1, any = 1 << 2, direct = 1 << 3;
}

/// Completion::flags; the upper half is the buffer's number.
namespace completed {
inline constexpr std::uint32_t has_buffer = 1 << 0, more = 1 << 1, not_empty = 1 << 2, notification = 1 << 3,
                               buffer_goes_on = 1 << 4;
inline constexpr unsigned buffer_shift = 16;
}
/// Bit of the result of a notification that a send without copying is over: the bytes had to be copied after all.
inline constexpr std::uint32_t kWasCopied = 1u << 31;

/// Parameters::flags, with the Linux that brought them.
namespace setup {
inline constexpr std::uint32_t thread = 1 << 1, thread_cpu = 1 << 2, completions = 1 << 3, clamp = 1 << 4,
                               submit_all = 1 << 7,      // 5.18
                               cooperative = 1 << 8,     // 5.19
                               single_issuer = 1 << 12,  // 6.0
                               deferred = 1 << 13,       // 6.1
                               no_array = 1 << 16;       // 6.6
}

/// Parameters::features.
namespace feature {
inline constexpr std::uint32_t single_map = 1 << 0, no_drop = 1 << 1, wait_argument = 1 << 8,
                               tags = 1 << 10,  // 5.13, which brought multishot polls as well
                               bundles = 1 << 14,  // 6.10
                               least_wait = 1 << 15;
}

/// Flags of io_uring_enter, and of the submission queue.
namespace entering {
inline constexpr std::uint32_t wait = 1 << 0, wake_thread = 1 << 1, wait_for_room = 1 << 2, argument = 1 << 3,
                               registered = 1 << 4;
}
namespace queue {
inline constexpr std::uint32_t thread_sleeps = 1 << 0, overflown = 1 << 1;
}

/// Operations of io_uring_register.
namespace registering {
inline constexpr unsigned files_update = 6, probe = 8, files = 13, ring = 20, unregister_ring = 21, buffer_ring = 22,
                          unregister_buffer_ring = 23, sync_cancel = 24, busy_poll = 27;  // the last Linux 6.9
}
inline constexpr std::uint32_t kSparse = 1 << 0;              // ResourceRegistration::flags
inline constexpr std::uint16_t kIncrementalBuffers = 1 << 1;  // BufferRingRegistration::flags, Linux 6.12

/// Offsets of mmap.
inline constexpr std::int64_t kSubmissionRing = 0, kCompletionRing = 0x8000000, kSubmissions = 0x10000000;

}  // namespace uring
