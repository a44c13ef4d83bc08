#include "servers/dispatch_json.h"

namespace servers {
namespace {

using process::JsonLine;

template <class Fields>
JsonLine object_of(const Fields& fields) {
  JsonLine object;
  each_field(fields, [&object](const char* name, auto value) { object.value(name, value); });
  return object;
}

}  // namespace

JsonLine capabilities_object(const dispatch::Capabilities& capabilities) { return object_of(capabilities); }
JsonLine counters_object(const dispatch::Counters& counters) { return object_of(counters); }

}  // namespace servers
