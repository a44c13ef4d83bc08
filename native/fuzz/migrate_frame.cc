// libFuzzer: what the receiver of memory takes. Frames are put together from any bytes, in any pieces; with checksums made
// right, so that what is behind them is reached. Whatever comes, a block is what a frame says, or what it was.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "migrate/intake.h"
#include "migrate/store.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace migrate;
  constexpr std::uint64_t kMemory = kBlock + 3 * kPage;
  if (size <= 2) return 0;
  const bool mended = data[0] % 2 != 0;
  const std::size_t piece = data[1] + 1u;
  std::vector<std::byte> bytes(size - 2);
  std::memcpy(bytes.data(), data + 2, bytes.size());

  Store store;
  if (!store.open(kMemory, "").empty()) std::abort();
  if (mended) {
    for (std::size_t at = 0; at + sizeof(FrameHead) <= bytes.size();) {
      FrameHead head;
      std::memcpy(&head, bytes.data() + at, sizeof head);
      const std::size_t rest = bytes.size() - at - sizeof head;
      head.mark = kFrameMark;
      head.kind = static_cast<FrameKind>(static_cast<unsigned>(head.kind) % 2);
      head.block %= 2;
      head.packed = static_cast<std::uint32_t>(std::min<std::size_t>(head.packed, rest));
      head.base = store.digest(head.block);
      head.body = digest_of(std::span(bytes).subspan(at + sizeof head, head.packed));
      head = sealed(head);
      std::memcpy(bytes.data() + at, &head, sizeof head);
      at += sizeof head + head.packed;
    }
  }
  Intake intake;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto room = intake.room();
    const std::size_t taken = std::min({room.size(), piece, bytes.size() - at});
    std::memcpy(room.data(), bytes.data() + at, taken);
    at += taken;
    if (intake.advance(taken, kMemory) != nullptr) return 0;
    if (!intake.whole()) continue;
    const FrameHead head = intake.head();
    const bool block = head.kind == FrameKind::block;
    const std::uint64_t before = block ? store.digest(head.block) : 0;
    const bool accepted = store.take(head, intake.body()).empty();
    if (block && store.digest(head.block) != (accepted ? head.digest : before)) std::abort();
    if (!accepted) return 0;
    intake.next();
  }
  return 0;
}
