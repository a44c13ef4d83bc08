// dispatchbench-threads-check TCP-PORT UDP-PORT: the threads that measure, each watched by the main one as its owner does, for
// scripts/threads.mjs, which builds it with ThreadSanitizer. They load an HTTP server and a UDP echo of ours.
// dispatchbench-threads-check planted: two threads that share a number without asking each other. It has to be found, or
// nothing that is not found says anything.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "load/datagram_engine.h"
#include "load/engine.h"
#include "load/idle_holder.h"
#include "load/session_engine.h"

namespace {

using load::kMillisecond;

net::Address loopback(const char* port) {
  net::Address address;
  net::parse_address("127.0.0.1", static_cast<std::uint16_t>(std::atoi(port)), address);
  return address;
}

/// Looks again until it is so, or until it takes too long. False: it did not come to be.
template <class Done>
bool await(Done done) {
  const load::Nanoseconds end = load::monotonic_now() + 30 * load::kSecond;
  while (!done()) {
    if (load::monotonic_now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Each returns one sentence on what did not happen, empty when all did.
std::string standing_and_load(const net::Address& server) {
  load::IdleHolder holder({.backend = "epoll", .dial = {.target = server, .sources = {}, .connections = 50}});
  holder.start();
  const auto& held = holder.progress();
  if (!await([&] { return held.phase == load::IdlePhase::standing && held.standing == 50; })) return "50 do not stand";
  for (const double rate : {0.0, 2000.0}) {
    load::Engine engine({.backend = "epoll",
                         .dial = {.target = server, .sources = {}, .connections = 8},
                         .http = true,
                         .host = "x",
                         .rate = rate,
                         .warmup = 20 * kMillisecond,
                         .window = 150 * kMillisecond});
    engine.start();
    const auto& progress = engine.progress();
    if (!await([&] { return progress.phase != load::LoadPhase::connecting; })) return "the load does not connect";
    engine.begin();
    engine.end();
    if (!await([&] { return engine.finished(); })) return "the load does not end";
    engine.join();
    if (engine.error() != 0 || progress.replies == 0) return "the load has no reply";
  }
  holder.stop();
  holder.join();
  return "";
}

std::string sessions(const net::Address& server) {
  load::SessionEngine engine({.backend = "epoll",
                              .target = server,
                              .host = "x",
                              .path = "/",
                              .rate = 500,
                              .connections = 60,
                              .calls = 2,
                              .concurrent = 20});
  engine.start();
  if (!await([&] { return engine.phase() == load::SessionPhase::ready; })) return "sessions are not ready";
  engine.begin(load::monotonic_now());
  if (!await([&] { return engine.finished(); })) return "sessions do not end";
  engine.join();
  return engine.tally().replies == 120 ? "" : std::to_string(engine.tally().replies) + " replies to 120 requests";
}

std::string datagrams(const net::Address& server) {
  load::DatagramConfig config;
  config.target = server;
  config.local = loopback("0");
  config.sockets = 4;
  config.workers = 2;
  config.window = 4;
  config.duration = 200 * kMillisecond;
  config.timeout = 200 * kMillisecond;
  config.interval = 50 * kMillisecond;
  config.log_replies = true;
  load::DatagramEngine engine(config);
  std::string what;
  if (const int error = engine.start(what)) return what + ": errno " + std::to_string(error);
  std::size_t intervals = 0, replies = 0;
  const auto look = [&] {
    intervals += engine.intervals(intervals).size();
    replies += engine.take_replies().size();
    return engine.progress().sent > 0 && engine.phase() == load::DatagramPhase::done;
  };
  if (!await(look)) return "datagrams do not end";
  engine.outcome();
  return replies + engine.take_replies().size() > 0 ? "" : "no datagram came back";
}

/// Joined at once, one thread might have ended before the other began: they meet first, which orders nothing after it.
void planted_race() {
  int shared = 0;
  std::atomic<int> met = 0;
  const auto add = [&] {
    met.fetch_add(1, std::memory_order_relaxed);
    while (met.load(std::memory_order_relaxed) < 2) std::this_thread::yield();
    for (int i = 0; i < 1000; ++i) *const_cast<volatile int*>(&shared) = shared + 1;
  };
  std::thread other(add);
  add();
  other.join();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "planted") {
    planted_race();
    return 0;
  }
  if (argc != 3) {
    std::fputs("usage: dispatchbench-threads-check TCP-PORT UDP-PORT | planted\n", stderr);
    return 2;
  }
  for (const std::string& fault :
       {standing_and_load(loopback(argv[1])), sessions(loopback(argv[1])), datagrams(loopback(argv[2]))}) {
    if (fault.empty()) continue;
    std::fprintf(stderr, "dispatchbench-threads-check: %s\n", fault.c_str());
    return 1;
  }
  return 0;
}
