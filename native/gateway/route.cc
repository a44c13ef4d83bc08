#include "gateway/route.h"

#include "process/arguments.h"

namespace gateway {
namespace {

constexpr std::uint64_t kIterations = 20'000;

Route compute(std::string_view query, std::uint64_t max_iterations) noexcept {
  constexpr std::string_view name = "iters=";
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(pair.size() == query.size() ? pair.size() : pair.size() + 1);
    if (!pair.starts_with(name)) continue;
    std::uint64_t iterations = 0;
    if (process::read_number(pair.substr(name.size()), 0, max_iterations, iterations)) {
      return {.work = Work::compute, .iterations = iterations};
    }
    return {.status = 400, .reason = "iters must be a number, and no more than --max-iters allows"};
  }
  return {.work = Work::compute, .iterations = kIterations};
}

}  // namespace

std::string_view method_of(std::string_view line) noexcept {
  const std::size_t space = line.find(' ');
  return space == line.npos ? std::string_view() : line.substr(0, space);
}

std::string_view target_of(std::string_view line) noexcept {
  const std::size_t space = line.find(' ');
  if (space == line.npos) return {};
  const std::string_view rest = line.substr(space + 1);
  return rest.substr(0, rest.find(' '));
}

Route route(std::string_view line, std::uint64_t max_iterations) noexcept {
  const std::string_view method = method_of(line);
  if (method != "GET" && method != "HEAD") return {.status = 405, .reason = "only GET and HEAD are served here"};
  const std::string_view target = target_of(line);
  if (!target.starts_with('/')) return {.status = 400, .reason = "the target must be a path"};
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  if (path == "/") return {.work = Work::hello};
  if (path == "/compute") return compute(mark == target.npos ? "" : target.substr(mark + 1), max_iterations);
  if (path == "/state") return {.work = Work::state};
  if (path == "/health") return {.work = Work::health};
  return {.work = Work::forward};
}

}  // namespace gateway
