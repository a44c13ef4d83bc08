// From the first byte to the last: what the process spent meanwhile, and its place in the line of either end.
#pragma once

#include <string_view>

#include "dispatch/facts.h"
#include "process/clock.h"
#include "process/json_line.h"
#include "process/usage.h"
#include "servers/dispatch_json.h"

namespace transfer {

struct Span {
  bool started = false;
  process::Nanoseconds begin = 0;
  process::Nanoseconds end = 0;
  process::Usage usage_begin;
  process::Usage usage_end;
  dispatch::Counters counters_begin;
  dispatch::Counters counters_end;

  void start(const dispatch::Counters& counters) noexcept {
    started = true;
    begin = process::monotonic_now();
    usage_begin = process::usage();
    counters_begin = counters;
  }
  void stop(const dispatch::Counters& counters) noexcept {
    end = process::monotonic_now();
    usage_end = process::usage();
    counters_end = counters;
  }

  void tell(process::JsonLine& line) const {
    using process::JsonLine;
    line.number("wallNs", end - begin)
        .object("cpu", JsonLine()
                           .number("userUs", usage_end.user_us - usage_begin.user_us)
                           .number("systemUs", usage_end.system_us - usage_begin.system_us))
        .object("contextSwitches",
                JsonLine()
                    .number("voluntary", usage_end.voluntary_switches - usage_begin.voluntary_switches)
                    .number("involuntary", usage_end.involuntary_switches - usage_begin.involuntary_switches))
        .number("peakRssBytes", process::usage().peak_rss_bytes)
        .object("counters", servers::counters_object(counters_end - counters_begin));
  }
};

/// The last line of an end, as it begins. An empty fault is none.
inline process::JsonLine result_of(std::string_view role, std::string_view fault) {
  process::JsonLine line;
  line.string("event", "result").string("role", role);
  if (fault.empty()) {
    line.null("fault");
  } else {
    line.string("fault", fault);
  }
  return line;
}

}  // namespace transfer
