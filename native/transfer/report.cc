#include "transfer/report.h"

#include <cinttypes>
#include <cstdio>

#include "process/json_line.h"

namespace transfer {
namespace {

using process::JsonLine;

std::string stream_list(const Account& account, bool sender) {
  std::string list;
  for (const StreamAccount& stream : account.streams) {
    JsonLine one;
    one.number("bytes", stream.bytes);
    if (account.checked) {
      char digest[17];
      std::snprintf(digest, sizeof digest, "%016" PRIx64, stream.digest);
      one.string("digest", digest);
    } else {
      one.null("digest");
    }
    one.boolean("whole", stream.whole);
    if (sender) one.number("connectNs", stream.connect);
    if (sender && stream.retransmits >= 0) one.number("retransmits", stream.retransmits);
    list += (list.empty() ? "" : ",") + one.text();
  }
  return "[" + list + "]";
}

JsonLine calls_object(const Calls& calls) {
  return JsonLine()
      .number("sends", calls.sends)
      .number("fills", calls.fills)
      .number("receives", calls.receives)
      .number("blocked", calls.blocked)
      .number("completions", calls.completions)
      .number("looks", calls.looks);
}

JsonLine adaptive_object(const Adaptive& adaptive) {
  std::string turns;
  for (const Adaptive::Turn& turn : adaptive.turns()) {
    turns += (turns.empty() ? "" : ",") + JsonLine().number("atNs", turn.at).number("streams", turn.streams).text();
  }
  return JsonLine()
      .string("link", name_of(adaptive.link()))
      .number("roundTripNs", adaptive.round_trip())
      .raw("turns", "[" + turns + "]");
}

}  // namespace

std::string result_line(const Options& options, const Account& account, std::string_view fault) {
  const bool sender = options.role == Role::sender;
  std::uint64_t bytes = 0;
  for (const StreamAccount& stream : account.streams) bytes += stream.bytes;
  JsonLine line = result_of(name_of(options.role), fault);
  // As many chunks as the source has.
  const std::size_t memory = (options.memory + options.chunk - 1) / options.chunk * options.chunk;
  if (sender) line.string("way", name_of(options.way)).number("memory", memory);
  line.string("congestion", account.congestion)
      .number("chunk", options.chunk)
      .boolean("checked", account.checked)
      .number("bytes", bytes)
      .object("calls", calls_object(account.calls));
  account.tell(line);
  if (sender && (options.way == Way::zerocopy || options.way == Way::uring_zerocopy)) {
    line.object("zeroCopy", JsonLine()
                                .number("sends", account.zero_copy.sends)
                                .number("completed", account.zero_copy.completed)
                                .number("copied", account.zero_copy.copied)
                                .number("fellBack", account.zero_copy.fell_back));
  }
  if (account.adaptive) line.object("adaptive", adaptive_object(*account.adaptive));
  if (!sender) line.number("strangers", account.strangers);
  line.raw("streams", stream_list(account, sender));
  return line.text();
}

}  // namespace transfer
