/*
 * Preloaded into a program that writes a run: one write, or all from one on, to files below a folder fails as on a bad
 * disk. Counted are write, pwrite, writev and fsync.
 *
 * FAULT_FOLDER  the folder
 * FAULT_AT      which of them fails, from 1
 * FAULT_KIND    ENOSPC, EIO, or short: takes half of the bytes (a sync then succeeds); full: takes half of the bytes, and
 *               the next two fail with ENOSPC, as when the last block is used up (libuv hides the first of them: it
 *               reports what was taken before)
 * FAULT_STICKY  1: all that follow fail as well
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long met;

static int below(int fd) {
  const char* folder = getenv("FAULT_FOLDER");
  if (folder == NULL) return 0;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, folder, strlen(folder)) == 0;
}

enum fault { NONE, FAILS, SHORT };

static enum fault fault_of(int fd) {
  if (!below(fd)) return NONE;
  const char *at = getenv("FAULT_AT"), *sticky = getenv("FAULT_STICKY"), *kind = getenv("FAULT_KIND");
  long now = atomic_fetch_add(&met, 1) + 1, asked = at ? atol(at) : 0;
  if (kind && strcmp(kind, "full") == 0 && asked != 0 && now >= asked) {
    if (now == asked) return SHORT;
    if (now > asked + 2 && !(sticky && *sticky == '1')) return NONE;
    errno = ENOSPC;
    return FAILS;
  }
  if (asked == 0 || now < asked || (now > asked && !(sticky && *sticky == '1'))) return NONE;
  if (kind && strcmp(kind, "short") == 0) return SHORT;
  errno = kind && strcmp(kind, "EIO") == 0 ? EIO : ENOSPC;
  return FAILS;
}

/* A short write takes half, and at least one byte. */
static size_t half(size_t count) { return count > 1 ? count / 2 : count; }

#define REAL(name) __typeof__(name)* real = (__typeof__(name)*)dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void* data, size_t count) {
  REAL(write);
  enum fault fault = fault_of(fd);
  return fault == FAILS ? -1 : real(fd, data, fault == SHORT ? half(count) : count);
}

ssize_t pwrite(int fd, const void* data, size_t count, off_t offset) {
  REAL(pwrite);
  enum fault fault = fault_of(fd);
  return fault == FAILS ? -1 : real(fd, data, fault == SHORT ? half(count) : count, offset);
}

ssize_t pwrite64(int fd, const void* data, size_t count, off64_t offset) {
  REAL(pwrite64);
  enum fault fault = fault_of(fd);
  return fault == FAILS ? -1 : real(fd, data, fault == SHORT ? half(count) : count, offset);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  REAL(writev);
  enum fault fault = fault_of(fd);
  return fault == FAILS ? -1 : real(fd, parts, fault == SHORT ? 1 : count);
}

int fsync(int fd) {
  REAL(fsync);
  return fault_of(fd) == FAILS ? -1 : real(fd);
}
