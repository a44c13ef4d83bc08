// libFuzzer: what a benchmark datagram may hold. Anything can be read; what was written is read back; one changed byte is
// noticed wherever there is a checksum.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "load/datagram_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using load::DatagramFormat;
  struct Choice {
    std::uint16_t length, changed;
    std::uint32_t nonce;
    load::Stamp stamp;
  } choice;
  if (size < sizeof choice) return 0;
  std::memcpy(&choice, data, sizeof choice);
  const std::span rest(data + sizeof choice, size - sizeof choice);
  const std::size_t length = choice.length % 2048;
  const std::size_t header = load::header_bytes(load::identity_of(length));

  std::vector<std::uint8_t> datagram(length);
  std::copy_n(rest.begin(), std::min(rest.size(), length - header), datagram.begin() + static_cast<std::ptrdiff_t>(header));
  const DatagramFormat format(length, choice.nonce, std::span(datagram).subspan(header));
  format.read(rest.data(), rest.size(), choice.changed % 2 != 0);
  const DatagramFormat other(std::span(datagram).first(length));
  other.read(rest.data(), rest.size(), false);

  format.write(datagram.data(), choice.stamp);
  const DatagramFormat::Reading good = format.read(datagram.data(), length, false);
  if (good.verdict != DatagramFormat::Verdict::intact) std::abort();
  if (header == 0) return 0;
  if (!good.identified || good.stamp.flow != choice.stamp.flow || good.stamp.sequence != choice.stamp.sequence) std::abort();
  datagram[choice.changed % length] ^= 1;
  if (format.read(datagram.data(), length, false).verdict == DatagramFormat::Verdict::intact) std::abort();
  return 0;
}
