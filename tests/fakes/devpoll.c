/*
 * A fake of Solaris's /dev/poll, see poll(7d), over poll(2), to test DevpollSelector on Linux:
 *
 *     cc -shared -fPIC -O1 -pthread [-DCLOSED_AS_DOCUMENTED] -o devpoll.so devpoll.c
 *
 * It defines `open`, `write`, `ioctl` and `close`, which pass on to the kernel whatever does not
 * concern /dev/poll. When dlopen(3) loads it, only callers that look these names up in it get them.
 *
 * write: events are ORed with those of earlier writes. POLLREMOVE, alone or with other bits,
 * removes a descriptor; one that is not there is not an error. Nor is adding a closed descriptor,
 * which DP_POLL then reports as POLLNVAL. EINVAL: the size is not a multiple of sizeof(struct
 * pollfd), or there are more entries than the limit of descriptors. EBADF: a negative descriptor;
 * the entries before it are applied.
 *
 * ioctl: only DP_POLL. EINVAL: another request, dp_nfds not below the limit of descriptors (as the
 * manual says), dp_timeout below -1. EFAULT: no dvpoll, no dp_fds. With dp_nfds 0 it only sleeps.
 * dp_setp is ignored.
 *
 * A watched descriptor that is closed, or closed and reused, is dropped silently. The manual does
 * not promise that: by it, a closed descriptor may be reported as POLLNVAL, and a reused one is
 * watched under its new meaning. -DCLOSED_AS_DOCUMENTED does so.
 *
 * Differences: error numbers are Linux's; the descriptor itself polls as ready, not as POLLERR;
 * closing it ends a sleep on it with EBADF; a forked child can use it.
 */
#include "state.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

struct dvpoll {
  struct pollfd *dp_fds;
  unsigned long dp_nfds;
  int dp_timeout;
  void *dp_setp;
};

_Static_assert(sizeof(struct pollfd) == 8, "pollfd");
_Static_assert(offsetof(struct dvpoll, dp_nfds) == 8, "dp_nfds");
_Static_assert(offsetof(struct dvpoll, dp_timeout) == 16, "dp_timeout");
_Static_assert(offsetof(struct dvpoll, dp_setp) == 24 && sizeof(struct dvpoll) == 32, "dp_setp");

enum {
  DP_POLL = 0xD001,
  REMOVE = 0x0800, /* Solaris's POLLREMOVE; Linux has a macro of that name with another value */
  /* The bits that Solaris and Linux have in common. */
  COMMON = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND,
};

#ifdef CLOSED_AS_DOCUMENTED
static const bool any_file = true;
#else
static const bool any_file = false;
#endif

static unsigned long descriptor_limit(void) {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : limit.rlim_cur;
}

/* Returns 0 or an error number. */
static int apply(struct set *set, const struct pollfd *change) {
  if (change->fd < 0) return EBADF;
  struct watch *watch = find_watch(set, change->fd, false);
  if (change->events & REMOVE) {
    if (!watch) return 0;
    watch->dead = true;
    sweep(set);
    return 0;
  }
  if (!watch && !(watch = add_watch(set, change->fd, false))) return ENOMEM;
  watch->any_file = any_file;
  watch->events |= change->events & COMMON;
  return 0;
}

static bool deliver(struct watch *watch, int part, short revents, void *out, size_t at) {
  if (part || !revents) return false;
  struct pollfd result = {.fd = (int)watch->ident, .events = watch->events, .revents = revents};
  ((struct pollfd *)out)[at] = result;
  return true;
}

static bool deliver_nothing(struct watch *watch, int part, short revents, void *out, size_t at) {
  (void)watch, (void)part, (void)revents, (void)out, (void)at;
  return false;
}

static int dp_poll(struct set *set, const struct dvpoll *call) {
  if (!call) return errno = EFAULT, -1;
  if (call->dp_nfds >= descriptor_limit() || call->dp_timeout < -1) return errno = EINVAL, -1;
  const struct timespec timeout = {call->dp_timeout / 1000, call->dp_timeout % 1000 * 1000000L};
  const struct timespec *limit = call->dp_timeout < 0 ? NULL : &timeout;
  if (!call->dp_nfds) {
    struct set nothing = {.fd = set->fd, .identity = set->identity};
    return wait_for(&nothing, limit, deliver_nothing, NULL, 0);
  }
  if (!call->dp_fds) return errno = EFAULT, -1;
  return wait_for(set, limit, deliver, call->dp_fds, call->dp_nfds);
}

int open(const char *path, int flags, ...) {
  if (!strcmp(path, "/dev/poll")) {
    pthread_mutex_lock(&lock);
    int fd = new_set("devpoll", flags & O_CLOEXEC);
    pthread_mutex_unlock(&lock);
    return fd;
  }
  unsigned mode = 0;
  if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, unsigned);
    va_end(rest);
  }
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t size) {
  pthread_mutex_lock(&lock);
  struct set *set = find_set(fd);
  if (!set) {
    pthread_mutex_unlock(&lock);
    return syscall(SYS_write, fd, data, size);
  }
  const struct pollfd *changes = data;
  size_t count = size / sizeof *changes;
  int error = 0;
  if (size % sizeof *changes || count > descriptor_limit()) error = EINVAL;
  else if (count && !changes) error = EFAULT;
  for (size_t i = 0; i < count && !error; i++) error = apply(set, &changes[i]);
  changed();
  pthread_mutex_unlock(&lock);
  return error ? (errno = error, -1) : (ssize_t)size;
}

/* Declared here, since C libraries differ in the type of `request`. */
int ioctl(int fd, unsigned long request, ...);

int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  pthread_mutex_lock(&lock);
  struct set *set = find_set(fd);
  int result;
  if (set && (unsigned)request == DP_POLL) result = dp_poll(set, argument);
  else if (set) result = (errno = EINVAL, -1);
  pthread_mutex_unlock(&lock);
  return set ? result : (int)syscall(SYS_ioctl, fd, request, argument);
}

int close(int fd) {
  pthread_mutex_lock(&lock);
  bool ours = find_set(fd);
  int result = (int)syscall(SYS_close, fd), error = errno;
  if (ours) {
    changed(); /* threads that sleep on it must see this */
    reap();
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
