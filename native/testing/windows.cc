// The rules of backends (test/dispatch/conformance.test.ts) on Windows' mechanisms, where no addon is built yet: a
// program of its own, with an echo over more sockets than an fd_set of the headers has room for. Prints one line a case
// and ends with the number of those that failed. On Wine it shows Wine's sockets and not those of Windows.
#ifdef _WIN32
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <set>
#include <string>

#include "dispatch/poller.h"
#include "dispatch/winsock.h"

namespace {

using namespace dispatch;

constexpr TimeoutNs kSoon = 10'000'000'000;

int failures = 0;
bool ok = true;

void expect(bool holds, const char* what) {
  if (!holds) std::printf("  does not hold: %s\n", what);
  ok = ok && holds;
}
#define EXPECT(holds) expect(holds, #holds)

sockaddr_in loopback() {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Handle bound(sockaddr_in& address) {
  address = loopback();
  int size = sizeof(address);
  const Handle handle = ::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  ::bind(handle, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size);
  return handle;
}

void make_nonblocking(Handle handle) {
  u_long yes = 1;
  ::ioctlsocket(handle, FIONBIO, &yes);
}

struct Pair {
  Handle client, server;
};

Pair connected() {
  sockaddr_in address;
  const Handle listener = bound(address);
  ::listen(listener, 1);
  Pair pair;
  pair.client = ::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  ::connect(pair.client, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  pair.server = ::accept(listener, nullptr, nullptr);
  ::closesocket(listener);
  make_nonblocking(pair.client);
  make_nonblocking(pair.server);
  return pair;
}

void send_byte(Handle handle) { ::send(handle, "x", 1, 0); }
int receive(Handle handle) {
  char bytes[64];
  return ::recv(handle, bytes, sizeof(bytes), 0);
}

/// A poller and its last rows.
class Bench {
 public:
  explicit Bench(const char* backend, std::size_t rows = 256)
      : poller(Poller::open(backend, probe_)), events_(rows) {}

  Slot add(Handle handle, Interest wanted) {
    Slot slot = kNoSlot;
    EXPECT(poller->add(handle, wanted, slot) == 0);
    return slot;
  }
  std::span<Event> wait(TimeoutNs timeout) {
    const WaitResult result = poller->wait(events_, timeout);
    EXPECT(result.error == 0);
    return std::span(events_).first(static_cast<std::size_t>(result.count));
  }
  /// The flags of the one row there is, which must be about `slot`.
  std::uint32_t only(Slot slot) {
    const auto rows = wait(kSoon);
    EXPECT(rows.size() == 1);
    return rows.size() == 1 && rows[0].slot == slot ? rows[0].flags : 0;
  }

 private:
  Probe probe_;

 public:
  std::unique_ptr<Poller> poller;

 private:
  std::vector<Event> events_;
};

void wrong_registrations(const char* backend) {
  Bench bench(backend);
  const Pair pair = connected();
  Slot slot = kNoSlot;
  EXPECT(bench.poller->add(kNoHandle, Interest::read, slot) == EBADF);
  EXPECT(bench.poller->modify(7, Interest::read) == ENOENT);
  EXPECT(bench.poller->forget(7) == ENOENT);
  bench.add(pair.server, Interest::none);
  EXPECT(bench.poller->add(pair.server, Interest::read, slot) == EEXIST);
  ::closesocket(pair.client);
  EXPECT(bench.poller->add(pair.client, Interest::read, slot) == EBADF);
}

void level(const char* backend) {
  Bench bench(backend);
  const Pair pair = connected();
  const Slot slot = bench.add(pair.server, Interest::read);
  EXPECT(bench.wait(0).empty());
  send_byte(pair.client);
  for (int i = 0; i < 3; ++i) EXPECT(bench.only(slot) == readable);
  EXPECT(bench.poller->modify(slot, Interest::both) == 0);
  EXPECT(bench.only(slot) == (readable | writable));
  EXPECT(receive(pair.server) == 1);
  EXPECT(bench.only(slot) == writable);
  EXPECT(bench.poller->modify(slot, Interest::none) == 0);
  send_byte(pair.client);
  EXPECT(bench.wait(1'000'000).empty());
}

void stale(const char* backend) {
  Bench bench(backend);
  const Pair pair = connected();
  const Slot slot = bench.add(pair.server, Interest::read);
  send_byte(pair.client);
  const Event event = bench.wait(kSoon)[0];
  EXPECT(bench.poller->current(event));
  EXPECT(bench.poller->forget(slot) == 0);
  EXPECT(!bench.poller->current(event));
  EXPECT(bench.wait(0).empty());
}

void closed_unforgotten(const char* backend) {
  Bench bench(backend);
  const Pair live = connected();
  const Pair gone = connected();
  const Slot dead = bench.add(gone.server, Interest::read);
  const Slot slot = bench.add(live.server, Interest::read);
  ::closesocket(gone.server);
  send_byte(live.client);
  int told = 0;
  bool served = false;
  for (int i = 0; i < 3; ++i) {
    for (const Event& event : bench.wait(1'000'000)) {
      told += event.slot == dead && (event.flags & invalid) != 0;
      served = served || event.slot == slot;
    }
  }
  EXPECT(told == 1);
  EXPECT(served);
}

void ends(const char* backend) {
  Bench bench(backend);
  const Pair pair = connected();
  const Slot slot = bench.add(pair.server, Interest::read);
  ::shutdown(pair.client, SD_SEND);
  EXPECT((bench.only(slot) & readable) != 0);
  EXPECT(receive(pair.server) == 0);
  sockaddr_in address;
  ::closesocket(bound(address));
  const Handle refused = ::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  make_nonblocking(refused);
  ::connect(refused, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  EXPECT(bench.poller->forget(slot) == 0);
  EXPECT((bench.only(bench.add(refused, Interest::write)) & writable) != 0);
}

void one_row_at_a_time(const char* backend) {
  Bench bench(backend, 1);
  std::set<Slot> watched, served;
  for (int i = 0; i < 8; ++i) {
    const Pair pair = connected();
    watched.insert(bench.add(pair.server, Interest::read));
    send_byte(pair.client);
  }
  const auto ready = [&] { return bench.wait(kSoon).size() == 1; };
  for (int tries = 0; tries < 1000 && served != watched && ready(); ++tries) {
    served.clear();
    for (int i = 0; i < 8; ++i) {
      for (const Event& event : bench.wait(kSoon)) served.insert(event.slot);
    }
  }
  EXPECT(served == watched);
}

void timeouts(const char* backend) {
  Bench bench(backend);
  const Pair pair = connected();
  for (const bool registered : {false, true}) {
    if (registered) bench.add(pair.server, Interest::read);
    for (const TimeoutNs timeout : {1'000LL, 1'500'000LL, 20'000'000LL}) {
      const auto started = std::chrono::steady_clock::now();
      EXPECT(bench.wait(timeout).empty());
      EXPECT(std::chrono::steady_clock::now() - started >= std::chrono::nanoseconds(timeout));
    }
  }
}

/// Echoes a byte over each of 200 connections, three times.
void echo(const char* backend) {
  Bench bench(backend);
  std::vector<Pair> pairs;
  std::vector<Slot> slots;
  for (int i = 0; i < 200; ++i) {
    pairs.push_back(connected());
    slots.push_back(bench.add(pairs.back().server, Interest::read));
    bench.add(pairs.back().client, Interest::read);
  }
  for (int round = 0; round < 3; ++round) {
    for (const Pair& pair : pairs) send_byte(pair.client);
    for (std::size_t back = 0; back < pairs.size();) {
      const auto rows = bench.wait(kSoon);
      if (rows.empty()) return EXPECT(!rows.empty());
      for (const Event& event : rows) {
        const Handle handle = bench.poller->handle(event.slot);
        EXPECT(receive(handle) == 1);
        if (std::ranges::find(slots, event.slot) != slots.end()) {
          send_byte(handle);
        } else {
          ++back;
        }
      }
    }
  }
  EXPECT(bench.poller->counters().events == 1200);
}

struct Case {
  const char* name;
  void (*run)(const char* backend);
};
constexpr Case kCases[] = {
    {"wrong registrations are named alike", wrong_registrations},
    {"repeats until the data is read; none is silent", level},
    {"a registration removed within a batch makes its row stale", stale},
    {"a socket closed without forget is reported once", closed_unforgotten},
    {"an end makes readable, a refusal writable", ends},
    {"one row at a time serves everybody", one_row_at_a_time},
    {"a timeout never ends early", timeouts},
    {"echo over 400 sockets", echo},
};

}  // namespace

int main() {
  begin_winsock();
  for (const BackendEntry& entry : backends()) {
    if (entry.make == nullptr) continue;
    for (const Case& one : kCases) {
      ok = true;
      one.run(entry.name);
      failures += !ok;
      std::printf("%s %s: %s\n", ok ? "ok" : "not ok", entry.name, one.name);
    }
  }
  return failures;
}
#endif
