// dispatchbench-libuv: tcp-echo and HTTP on libuv as a C program uses it: what node:net (servers/libuv.ts) is without
// JavaScript. `--impl libuv-c` of an experiment measures it. Ends by SIGTERM or SIGINT.
//
// Work per request is that of the row of node:net: libuv reads into 64 KiB and tries to write at once, as Node has it do;
// what the kernel does not take is queued, and the connection is not read meanwhile. HTTP is read by
// servers::HttpRequest, which is the parser of that row (servers/http-request.ts) state for state; llhttp takes part in
// neither. One buffer is enough for all reads, where Node allocates one for each.
#include <uv.h>

#include <csignal>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "process/usage.h"
#include "programs/peers/serving.h"
#include "servers/protocol.h"

namespace {

/// What libuv of this system waits with: it has no choice.
constexpr std::string_view kWaitsWith =
#ifdef __linux__
    "epoll";
#else
    "kqueue";
#endif

std::string words_of(const char* what, int error) { return std::string(what) + ": " + uv_strerror(error); }

template <class Protocol>
class Server {
 public:
  std::string run(const programs::Serving& serving) {
    int listener = -1;
    if (std::string fault = serving.listen(listener); !fault.empty()) return fault;
    int error = uv_loop_init(&loop_);
    if (error != 0) return words_of("no loop", error);
    uv_tcp_init(&loop_, &listener_);
    listener_.data = this;
    error = uv_tcp_open(&listener_, listener);
    if (error == 0) error = uv_listen(stream(&listener_), static_cast<int>(serving.backlog), on_connection);
    if (error != 0) return words_of("libuv does not take the listening socket", error);
    const int ends[] = {SIGTERM, SIGINT};
    for (std::size_t i = 0; i < std::size(ends); ++i) {
      uv_signal_init(&loop_, &signals_[i]);
      uv_signal_start(&signals_[i], [](uv_signal_t* signal, int) { uv_stop(signal->loop); }, ends[i]);
    }
    programs::say_listening(listener, kWaitsWith, "libuv", uv_version_string());
    uv_run(&loop_, UV_RUN_DEFAULT);
    end();
    return "";
  }

 private:
  struct Connection {
    explicit Connection(Server& of) : server(of) {}
    Server& server;
    uv_tcp_t tcp{};
    uv_write_t write{};
    uv_shutdown_t shutdown{};
    std::vector<std::byte> unsent;
    [[no_unique_address]] typename Protocol::State state{};
    bool ends = false;      // our FIN follows what is unsent
    bool draining = false;  // our FIN is sent
  };

  static uv_stream_t* stream(uv_tcp_t* tcp) { return reinterpret_cast<uv_stream_t*>(tcp); }
  template <class Handle>
  static Connection& of(Handle* handle) {
    return *static_cast<Connection*>(handle->data);
  }

  static void on_connection(uv_stream_t* listener, int status) {
    if (status < 0) return;
    auto* const connection = new Connection(*static_cast<Server*>(listener->data));
    uv_tcp_init(listener->loop, &connection->tcp);
    connection->tcp.data = connection->write.data = connection->shutdown.data = connection;
    if (uv_accept(listener, stream(&connection->tcp)) != 0) return close(*connection);
    connection->server.read(*connection);
  }

  void read(Connection& connection) {
    const int error = uv_read_start(
        stream(&connection.tcp),
        [](uv_handle_t* handle, std::size_t, uv_buf_t* room) { *room = of(handle).server.room(); },
        [](uv_stream_t* from, ssize_t count, const uv_buf_t*) { of(from).server.on_read(of(from), count); });
    if (error != 0) close(connection);
  }

  uv_buf_t room() { return uv_buf_init(reinterpret_cast<char*>(window_.data()), static_cast<unsigned>(window_.size())); }

  void on_read(Connection& connection, ssize_t count) {
    if (count == 0) return;
    if (count < 0) return close(connection);  // FIN or an error: nothing is unsent while a connection is read
    if (connection.draining) return;
    const std::span<const std::byte> received(window_);
    const servers::Reply reply =
        protocol_.answer(connection.state, received.first(static_cast<std::size_t>(count)), statistics_);
    connection.ends = reply.close;
    if (!reply.bytes.empty()) send(connection, reply.bytes);
  }

  void send(Connection& connection, std::span<const std::byte> bytes) {
    uv_buf_t all = buffer_of(bytes);
    const int sent = uv_try_write(stream(&connection.tcp), &all, 1);
    if (sent < 0 && sent != UV_EAGAIN) return close(connection);
    const std::size_t gone = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    if (gone == bytes.size()) return finish(connection);
    // What was received, or put together for this reply, does not stay.
    connection.unsent.assign(bytes.begin() + static_cast<std::ptrdiff_t>(gone), bytes.end());
    uv_read_stop(stream(&connection.tcp));
    uv_buf_t rest = buffer_of(connection.unsent);
    const int error = uv_write(&connection.write, stream(&connection.tcp), &rest, 1, [](uv_write_t* write, int status) {
      Connection& written = of(write);
      if (status == UV_ECANCELED) return;  // it is being closed
      if (status != 0) return close(written);
      std::exchange(written.unsent, {});
      written.server.finish(written);
      written.server.read(written);
    });
    if (error != 0) close(connection);
  }

  /// After a reply has gone.
  void finish(Connection& connection) {
    if (!connection.ends || connection.draining) return;
    connection.draining = true;
    uv_shutdown(&connection.shutdown, stream(&connection.tcp), [](uv_shutdown_t*, int) {});
  }

  static uv_buf_t buffer_of(std::span<const std::byte> bytes) {
    // libuv's buffers are not const; those of a write are only read.
    auto* const first = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
    return uv_buf_init(first, static_cast<unsigned>(bytes.size()));
  }

  static void close(Connection& connection) {
    auto* const handle = reinterpret_cast<uv_handle_t*>(&connection.tcp);
    if (uv_is_closing(handle) == 0) uv_close(handle, [](uv_handle_t* closed) { delete &of(closed); });
  }

  void end() {
    uv_walk(
        &loop_,
        [](uv_handle_t* handle, void* server) {
          auto* const own = static_cast<Server*>(server);
          const bool connection = handle->type == UV_TCP && handle != reinterpret_cast<uv_handle_t*>(&own->listener_);
          if (connection) close(of(handle));
          else if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
        },
        this);
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }

  uv_loop_t loop_{};
  uv_tcp_t listener_{};
  uv_signal_t signals_[2]{};
  Protocol protocol_;
  servers::Statistics statistics_;  // which protocols count into; nobody asks this program for them
  std::vector<std::byte> window_ = std::vector<std::byte>(servers::kReceiveWindow);
};

std::string run(std::span<char* const> arguments) {
  programs::Serving serving;
  if (std::string fault = serving.read(arguments, {"tcp-echo", "http"}); !fault.empty()) return fault;
  if (serving.backend != kWaitsWith) {
    return "libuv chooses its mechanism itself, here " + std::string(kWaitsWith) + ": ask for --backend " +
           std::string(kWaitsWith) + ", not '" + serving.backend + "'";
  }
  process::raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);
  return serving.protocol == 0 ? Server<servers::Echo>().run(serving) : Server<servers::Http>().run(serving);
}

}  // namespace

int main(int argc, char** argv) {
  return programs::ended("dispatchbench-libuv", run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1)));
}
