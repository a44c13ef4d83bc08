// What a backend can do and what it has done, as the contracts spell it (src/contract/server.ts).
#pragma once

#include "dispatch/backend.h"
#include "process/json_line.h"

namespace servers {

process::JsonLine capabilities_object(const dispatch::Capabilities& capabilities);
process::JsonLine counters_object(const dispatch::Counters& counters);

}  // namespace servers
