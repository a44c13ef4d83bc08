// A TCP server of several threads. Each has a poller, connections and figures of its own, and nothing is shared but what is
// to be accepted; the program's own thread waits for the control channel alone and speaks for all.
//
// Threads and no processes: what workers cost is then the process's own usage, one descriptor limit holds for all as in a
// server of one worker, and no tree of processes has to be accounted for. What the kernel does to share connections is the
// same. (nginx has processes, memcached and Envoy have threads.)
//
// How they share (--accept):
//   exclusive  one listening socket in all pollers with EPOLLEXCLUSIVE: one that waits is woken. As long as there is little
//              to do that is always the same one, and connections pile up there
//   reuseport  a listening socket each: the kernel's hash of addresses and ports chooses, whoever has time
//   shared     one listening socket in all pollers: everyone that waits is woken, one finds the connection. The control
#pragma once

#include <string>

#include "servers/control.h"
#include "servers/options.h"
#include "servers/report.h"

namespace servers {

/// Serves `options.protocol` by `options.workers` threads until it is told to stop. One sentence on what failed, empty after
/// a farewell.
std::string serve_by_workers(Control& control, const Options& options, Identity identity);

}  // namespace servers
