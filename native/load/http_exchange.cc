// Replies of a server under load are nearly always the same bytes, so each is compared with the last good one; only
// what differs (a new Date header, an error) is parsed. The comparison is as strict as the parser: equal bytes are
// equal replies.
#include <algorithm>
#include <cstring>
#include <vector>

#include "load/exchange.h"
#include "load/http_reply.h"

namespace load {
namespace {

class HttpExchange final : public Exchange {
 public:
  HttpExchange(std::uint32_t connections, const std::string& host, const std::string& path, bool any_body)
      : request_("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), any_body_(any_body), states_(connections) {}

  std::size_t request_size() const noexcept override { return request_.size(); }

  void write_request(std::uint32_t, std::uint32_t, std::byte* out) const noexcept override {
    std::memcpy(out, request_.data(), request_.size());
  }

  void restart(std::uint32_t id) noexcept override {
    leave_known(states_[id]);
    states_[id].reply.reset();
  }

  Reading read_reply(std::uint32_t id, Bytes bytes) override {
    State& state = states_[id];
    if (!state.reply.begun() && !known_.empty()) {
      const std::size_t compare = std::min(bytes.size(), known_.size() - state.matched);
      if (std::memcmp(bytes.data(), &known_[state.matched], compare) == 0) {
        if (state.matched == 0) ++partly_matched_;
        state.matched += static_cast<std::uint32_t>(compare);
        if (state.matched < known_.size()) return {compare, Verdict::incomplete};
        leave_known(state);
        return {compare, Verdict::good, false, known_status_};
      }
      // It differs somewhere: the parser gets what had matched, then the rest.
      std::size_t used = 0;
      state.reply.feed({known_.data(), state.matched}, used);
      leave_known(state);
    }
    return parse(state, bytes);
  }

  Reading finish(std::uint32_t id) override {
    State& state = states_[id];
    if (state.reply.finish() != HttpReply::Progress::done) return {0, Verdict::broken, true};
    return {0, judge(state), true, state.reply.status()};
  }

 private:
  static constexpr std::size_t kMostKnown = 65536;
  struct State {
    std::uint32_t matched = 0;  // bytes of known_ that this reply repeated so far
    HttpReply reply;
  };

  void leave_known(State& state) noexcept {
    if (state.matched > 0) --partly_matched_;
    state.matched = 0;
  }

  Reading parse(State& state, Bytes bytes) {
    const bool whole = !state.reply.begun();
    std::size_t used = 0;
    const HttpReply::Progress progress = state.reply.feed(bytes, used);
    if (progress == HttpReply::Progress::more) return {used, Verdict::incomplete};
    if (progress == HttpReply::Progress::invalid) return {used, Verdict::broken, true};
    const bool last = state.reply.last();
    const Verdict verdict = judge(state);
    const int status = state.reply.status();
    // No connection may be half way through the known reply when it is replaced.
    if (verdict == Verdict::good && whole && !last && used <= kMostKnown && partly_matched_ == 0) {
      known_.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(used));
      known_status_ = status;
    }
    state.reply.reset();
    return {used, verdict, last, status};
  }

  Verdict judge(const State& state) {
    if (state.reply.status() / 100 != 2) return Verdict::status;
    if (any_body_) return Verdict::good;
    if (!have_body_) {
      have_body_ = true;
      body_size_ = state.reply.body_size();
      body_digest_ = state.reply.body_digest();
    }
    const bool same = state.reply.body_size() == body_size_ && state.reply.body_digest() == body_digest_;
    return same ? Verdict::good : Verdict::mismatch;
  }

  std::string request_;
  bool any_body_;
  std::vector<State> states_;
  std::vector<std::byte> known_;  // bytes of the last good reply that came whole
  int known_status_ = 0;
  std::uint32_t partly_matched_ = 0;
  bool have_body_ = false;
  std::uint64_t body_size_ = 0;
  std::uint64_t body_digest_ = 0;
};

}  // namespace

std::unique_ptr<Exchange> make_http_exchange(std::uint32_t connections, const std::string& host, const std::string& path,
                                             bool any_body) {
  return std::make_unique<HttpExchange>(connections, host, path, any_body);
}

}  // namespace load
