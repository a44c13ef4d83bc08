#include "migrate/report.h"

#include <cinttypes>
#include <cstdio>

#include "process/json_line.h"

namespace migrate {
namespace {

using process::JsonLine;

const char* name_of(Role role) noexcept { return role == Role::sender ? "sender" : "receiver"; }
std::string_view name_of(Codec codec) noexcept { return kCodecs[static_cast<std::size_t>(codec)]; }

template <class List, class Describe>
std::string list_of(const List& all, const Describe& describe) {
  std::string list;
  for (const auto& one : all) list += (list.empty() ? "" : ",") + describe(one).text();
  return "[" + list + "]";
}

JsonLine pass_object(const Pass& pass) {
  return JsonLine()
      .object("pages", JsonLine()
                           .number("same", pass.pages.same)
                           .number("zero", pass.pages.zero)
                           .number("plain", pass.pages.plain)
                           .number("changed", pass.pages.changed))
      .number("frames", pass.frames)
      .number("rawBytes", pass.raw)
      .number("wireBytes", pass.wire)
      .number("wallNs", pass.wall);
}

void add_sender(JsonLine& line, const Options& options, const Account& account) {
  line.string("codec", options.automatic ? "auto" : name_of(options.choice.codec))
      .number("level", options.choice.level)
      .number("connections", options.connections)
      .number("workers", options.workers)
      .number("sentAgain", account.again)
      .number("makeNs", account.make)
      .number("packNs", account.pack)
      .raw("passes", list_of(account.passes, pass_object))
      .raw("choices", list_of(account.choices, [](const auto& one) {
             return JsonLine()
                 .string("codec", name_of(one.first.first))
                 .number("level", one.first.second)
                 .number("frames", one.second);
           }));
  if (account.link_rate > 0) line.number("linkBytesPerSecond", static_cast<std::uint64_t>(account.link_rate));
  if (account.down >= 0) line.number("downtimeNs", account.down);
  if (options.dirty_rate > 0 && account.down >= 0) line.number("dirtiedPages", account.dirtied);
}

void add_receiver(JsonLine& line, const Account& account) {
  line.number("frames", account.store.frames)
      .number("twice", account.store.twice)
      .number("unpackedBytes", account.store.unpacked)
      .number("unpackNs", account.store.unpack)
      .number("strangers", account.strangers);
}

}  // namespace

std::string digest_text(std::uint64_t digest) {
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, digest);
  return text;
}

std::string result_line(const Options& options, const Account& account, std::string_view fault) {
  JsonLine line = transfer::result_of(name_of(options.role), fault);
  line.boolean("whole", account.whole);
  if (account.whole) {
    line.string("digest", digest_text(account.digest));
  } else {
    line.null("digest");
  }
  line.number("memory", account.memory)
      .number("sentBytes", account.sent)
      .number("receivedBytes", account.received)
      .number("lost", account.lost);
  account.tell(line);
  if (options.role == Role::sender) {
    add_sender(line, options, account);
  } else {
    add_receiver(line, account);
  }
  return line.text();
}

}  // namespace migrate
