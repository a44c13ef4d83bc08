#include "quorum/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "transfer/xxh64.h"

namespace quorum {
namespace {

constexpr std::array<char, 8> kMagic = {'D', 'B', 'Q', 'L', 1, 0, 0, 0};
constexpr std::size_t kFrame = 16;
constexpr std::uint32_t kBegins = 1;
constexpr const char* kEnding = ".log";

struct Frame {
  std::uint32_t length = 0;
  std::uint32_t flags = 0;
  std::uint64_t check = 0;
};
static_assert(sizeof(Frame) == kFrame);

std::uint64_t check_of(std::uint32_t length, std::uint32_t flags, std::span<const std::byte> record) {
  transfer::Xxh64 hash;
  const std::uint32_t head[] = {length, flags};
  hash.update(std::as_bytes(std::span(head)));
  hash.update(record);
  return hash.digest();
}

void put_frame(Bytes& into, std::span<const std::byte> record, bool begins) {
  Frame frame{static_cast<std::uint32_t>(record.size()), begins ? kBegins : 0, 0};
  frame.check = check_of(frame.length, frame.flags, record);
  const auto head = std::as_bytes(std::span(&frame, 1));
  into.insert(into.end(), head.begin(), head.end());
  into.insert(into.end(), record.begin(), record.end());
}

/// What makes data durable: on macOS fsync alone leaves it in the drive's memory.
int sync_data(int file) noexcept {
#ifdef __APPLE__
  return ::fcntl(file, F_FULLFSYNC) == 0 ? 0 : errno;
#else
  return ::fdatasync(file) == 0 ? 0 : errno;
#endif
}

int write_all(int file, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t taken = ::write(file, bytes.data(), bytes.size());
    if (taken < 0 && errno == EINTR) continue;
    if (taken < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(taken));
  }
  return 0;
}

std::string sentence(const std::string& what, int error) { return what + ": " + std::strerror(error); }

bool read_file(const std::string& path, Bytes& into) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  struct stat facts {};
  bool good = ::fstat(file, &facts) == 0;
  into.resize(good ? static_cast<std::size_t>(facts.st_size) : 0);
  for (std::size_t at = 0; good && at < into.size();) {
    const ssize_t got = ::read(file, into.data() + at, into.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) good = false;
    else at += static_cast<std::size_t>(got);
  }
  const int error = errno;
  ::close(file);
  errno = error;
  return good;
}

/// A segment as far as it is whole.
struct Segment {
  std::vector<Bytes> records;
  bool begins = false;     ///< with a record that stands for all before it
  std::size_t whole = 0;   ///< bytes that are
};

Segment parse(std::span<const std::byte> bytes) {
  Segment segment;
  if (bytes.size() < kMagic.size() || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) return segment;
  segment.whole = kMagic.size();
  while (bytes.size() - segment.whole >= kFrame) {
    Frame frame;
    std::memcpy(&frame, bytes.data() + segment.whole, kFrame);
    const std::size_t left = bytes.size() - segment.whole - kFrame;
    if (frame.length > left || frame.length > kMostRecord) break;
    const auto record = bytes.subspan(segment.whole + kFrame, frame.length);
    if (check_of(frame.length, frame.flags, record) != frame.check) break;
    if (segment.records.empty()) segment.begins = (frame.flags & kBegins) != 0;
    segment.records.emplace_back(record.begin(), record.end());
    segment.whole += kFrame + frame.length;
  }
  return segment;
}

/// Numbers of the segments in a folder, ascending.
std::vector<std::uint64_t> segments_in(const std::string& folder) {
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::uint64_t number = 0;
    char rest = 0;
    if (at->path().extension() == kEnding && std::sscanf(name.c_str(), "%16" SCNx64 ".lo%c", &number, &rest) == 2)
      numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

std::string Log::path_of(std::uint64_t segment) const {
  std::array<char, 17> name{};
  std::snprintf(name.data(), name.size(), "%016" PRIx64, segment);
  return folder_ + "/" + name.data() + kEnding;
}

std::unique_ptr<Log> Log::open(const std::string& folder, bool syncs, std::string& fault) {
  std::unique_ptr<Log> log(new Log(folder));
  log->syncs_ = syncs;
  if (!log->recover(fault) || !log->start(fault)) return nullptr;
  return log;
}

bool Log::recover(std::string& fault) {
  folder_file_ = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_file_ < 0) {
    fault = sentence("the log's folder " + folder_ + " cannot be opened", errno);
    return false;
  }
  std::vector<std::uint64_t> numbers = segments_in(folder_);
  std::size_t end_of_newest = 0;
  while (!numbers.empty()) {
    // From the newest back to the one that stands for all before it.
    const std::uint64_t number = numbers.back();
    numbers.pop_back();
    const std::string path = path_of(number);
    Bytes bytes;
    if (!read_file(path, bytes)) {
      fault = sentence("the log's file " + path + " cannot be read", errno);
      return false;
    }
    Segment segment = parse(bytes);
    if (segment_ == 0 && segment.records.empty()) {
      // It was begun and never finished: what came before still holds.
      torn_ += bytes.size();
      if (::unlink(path.c_str()) == 0) continue;
      fault = sentence("the log's file " + path + " cannot be removed", errno);
      return false;
    }
    if (segment_ == 0) {
      segment_ = number;
      end_of_newest = segment.whole;
      torn_ += bytes.size() - segment.whole;
    } else if (segment.whole != bytes.size()) {
      fault = "the log's file " + path + " is damaged at byte " + std::to_string(segment.whole) +
              ", and later ones rest on it";
      return false;
    }
    recovered_.insert(recovered_.begin(), std::make_move_iterator(segment.records.begin()),
                      std::make_move_iterator(segment.records.end()));
    if (segment.begins) break;
  }
  if (segment_ == 0) {
    if (const int error = begin_segment()) {
      fault = sentence("no log can be made in " + folder_, error);
      return false;
    }
    return true;
  }
  file_ = ::open(path_of(segment_).c_str(), O_WRONLY | O_CLOEXEC);
  if (file_ < 0 || ::ftruncate(file_, static_cast<off_t>(end_of_newest)) != 0 ||
      ::lseek(file_, 0, SEEK_END) < 0) {
    fault = sentence("the log's file " + path_of(segment_) + " cannot be gone on with", errno);
    return false;
  }
  // What was read is promised from now on, also where it was written and never synced.
  if (const int error = sync_data(file_)) {
    fault = sentence("the log's file " + path_of(segment_) + " cannot be synced", error);
    return false;
  }
  return true;
}

bool Log::start(std::string& fault) {
  if (!syncs_) return true;
  if (::pipe(pipe_) != 0) {
    fault = sentence("no pipe for the log", errno);
    return false;
  }
  for (const int end : pipe_) {
    ::fcntl(end, F_SETFL, O_NONBLOCK);
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  worker_ = std::thread([this] { work(); });
  return true;
}

Log::~Log() {
  if (worker_.joinable()) {
    {
      const std::scoped_lock lock(mutex_);
      stops_ = true;
    }
    wake_.notify_one();
    worker_.join();
  }
  for (const int one : {file_, folder_file_, pipe_[0], pipe_[1]})
    if (one >= 0) ::close(one);
}

std::uint64_t Log::append(std::span<const std::byte> record, bool begins) {
  const std::uint64_t number = ++appended_;
  if (!syncs_) {
    std::vector<Chunk> chunks(1);
    chunks[0].begins = begins;
    put_frame(chunks[0].bytes, record, begins);
    if (progress_.error == 0) progress_.error = write_out(chunks);
    if (progress_.error == 0) progress_.number = number;
    progress_.bytes += chunks[0].bytes.size();
    return number;
  }
  {
    const std::scoped_lock lock(mutex_);
    if (pending_.empty() || begins) pending_.emplace_back().begins = begins;
    Chunk& chunk = pending_.back();
    put_frame(chunk.bytes, record, begins);
    chunk.last = number;
  }
  wake_.notify_one();
  return number;
}

void Log::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stops_ || !pending_.empty(); });
    if (pending_.empty()) return;
    std::vector<Chunk> chunks;
    chunks.swap(pending_);
    if (progress_.error != 0) continue;  // a sync that failed says nothing of later ones
    lock.unlock();
    const process::Nanoseconds began = process::monotonic_now();
    const int error = write_out(chunks);
    const process::Nanoseconds ended = process::monotonic_now();
    lock.lock();
    progress_.error = error;
    if (error == 0) progress_.number = chunks.back().last;
    progress_.syncs++;
    progress_.busy += ended - began;
    progress_.last_ended = ended;
    progress_.last_took = ended - began;
    for (const Chunk& chunk : chunks) progress_.bytes += chunk.bytes.size();
    notify();
  }
}

int Log::write_out(const std::vector<Chunk>& chunks) {
  bool older = false;
  for (const Chunk& chunk : chunks) {
    if (chunk.begins) {
      // Later segments rest on this one, so it must be whole before there is another.
      if (const int error = syncs_ ? sync_data(file_) : 0) return error;
      if (const int error = begin_segment()) return error;
      older = true;
    }
    if (const int error = write_all(file_, chunk.bytes)) return error;
  }
  if (const int error = syncs_ || older ? sync_data(file_) : 0) return error;
  if (older) remove_older();
  return 0;
}

int Log::begin_segment() {
  const std::string path = path_of(segment_ + 1);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return errno;
  if (file_ >= 0) ::close(file_);
  file_ = file;
  segment_++;
  if (const int error = write_all(file_, std::as_bytes(std::span(kMagic)))) return error;
  return ::fsync(folder_file_) == 0 ? 0 : errno;
}

void Log::remove_older() const {
  // One that stays is no fault: it is not read, and goes with the next.
  for (const std::uint64_t number : segments_in(folder_))
    if (number < segment_) ::unlink(path_of(number).c_str());
}

void Log::notify() const noexcept {
  const char byte = 0;
  // A full pipe is readable as well.
  while (::write(pipe_[1], &byte, 1) < 0 && errno == EINTR) {
  }
}

Log::Progress Log::progress() {
  if (!syncs_) return progress_;
  std::array<char, 256> bytes;
  while (::read(pipe_[0], bytes.data(), bytes.size()) > 0) {
  }
  const std::scoped_lock lock(mutex_);
  return progress_;
}

}  // namespace quorum
