/*
 * A fake of kqueue(2) over poll(2), to test KqueueSelector on Linux:
 *
 *     cc -shared -fPIC -O1 -pthread [-DFREEBSD_LAYOUT] -o kqueue.so kqueue.c
 *
 * It supports EVFILT_READ, EVFILT_WRITE, EVFILT_USER and, in macOS's layout, EVFILT_EXCEPT with
 * NOTE_OOB, with EV_ADD, EV_DELETE, EV_ENABLE, EV_DISABLE, EV_ONESHOT, EV_CLEAR and EV_RECEIPT.
 * Anything else fails with EINVAL, including a kqueue within a kqueue. Every change except a
 * deletion replaces `udata`.
 *
 * Differences: error numbers are Linux's; a regular file is always ready, also at its end; for
 * reading, `data` is the result of FIONREAD, or else 1, and for writing always 1; `fflags` is 0;
 * with EV_CLEAR an event is seen up to 20 ms late; the descriptor itself always polls as ready; a
 * close(2) while a thread sleeps in kevent takes effect up to 20 ms later, and closing the kqueue
 * ends that sleep with EBADF; a forked child can use it.
 */
#include "state.h"

#include <limits.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

struct kevent {
  uint64_t ident;
  int16_t filter;
  uint16_t flags;
  uint32_t fflags;
  int64_t data;
  void *udata;
#ifdef FREEBSD_LAYOUT
  uint64_t ext[4];
#endif
};

_Static_assert(offsetof(struct kevent, ident) == 0, "ident");
_Static_assert(offsetof(struct kevent, filter) == 8, "filter");
_Static_assert(offsetof(struct kevent, flags) == 10, "flags");
_Static_assert(offsetof(struct kevent, fflags) == 12, "fflags");
_Static_assert(offsetof(struct kevent, data) == 16, "data");
_Static_assert(offsetof(struct kevent, udata) == 24, "udata");
#ifdef FREEBSD_LAYOUT
_Static_assert(offsetof(struct kevent, ext) == 32, "ext");
_Static_assert(sizeof(struct kevent) == 64, "FreeBSD's struct kevent");
#else
_Static_assert(sizeof(struct kevent) == 32, "macOS's struct kevent");
#endif

enum {
  EVFILT_READ = -1,
  EVFILT_WRITE = -2,
#ifdef FREEBSD_LAYOUT
  EVFILT_USER = -11,
  EVFILT_EXCEPT = INT16_MIN, /* FreeBSD has none */
#else
  EVFILT_USER = -10,
  EVFILT_EXCEPT = -15,
#endif
  EV_ADD = 0x1,
  EV_DELETE = 0x2,
  EV_ENABLE = 0x4,
  EV_DISABLE = 0x8,
  EV_ONESHOT = 0x10,
  EV_CLEAR = 0x20,
  EV_RECEIPT = 0x40,
  EV_SYSFLAGS = 0xF000, /* set by the system, such as the two below; ignored in a change */
  EV_ERROR = 0x4000,
  EV_EOF = 0x8000,
  EV_KNOWN = EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE | EV_ONESHOT | EV_CLEAR | EV_RECEIPT,
  NOTE_TRIGGER = 0x01000000,
  NOTE_OOB = 0x2,
};

/* What to poll for, by part; hang-ups and errors are always reported. */
static const short asked[PARTS] = {POLLIN | POLLRDHUP, POLLOUT, POLLPRI};

/* Updates a watch after a change of its notes. */
static void settle(struct watch *watch) {
  watch->events = 0;
  watch->dead = true;
  for (int part = 0; part < PARTS; part++) {
    if (!watch->note[part].present) continue;
    watch->dead = false;
    if (watch->note[part].enabled) watch->events |= asked[part];
  }
  /* Polled without events, a hung-up descriptor would still wake the sleeper again and again. */
  watch->poll_fd = watch->user || !watch->events ? -1 : (int)watch->ident;
}

/* Returns 0 or an error number. */
static int apply(struct set *set, const struct kevent *change) {
  unsigned flags = change->flags & ~EV_SYSFLAGS;
  bool user = change->filter == EVFILT_USER;
  bool except = change->filter == EVFILT_EXCEPT;
  if (!user && !except && change->filter != EVFILT_READ && change->filter != EVFILT_WRITE)
    return EINVAL;
  if (flags & ~EV_KNOWN) return EINVAL;
  if (except && !(flags & EV_DELETE) && change->fflags != NOTE_OOB) return EINVAL;
  if (!user) {
    if (change->ident > INT_MAX || !identify((int)change->ident).open) {
      find_watch(set, change->ident, user); /* Drops one that close(2) has removed. */
      return EBADF;
    }
    if (find_set((int)change->ident)) return EINVAL;
  }
  int part = except ? 2 : change->filter == EVFILT_WRITE;
  struct watch *watch = find_watch(set, change->ident, user);
  bool present = watch && watch->note[part].present;
  if (!present && (flags & EV_DELETE || !(flags & EV_ADD))) return ENOENT;
  if (!watch && !(watch = add_watch(set, change->ident, user))) return ENOMEM;

  struct note *note = &watch->note[part];
  if (flags & EV_DELETE) {
    drop_note(note);
  } else {
    note->present = true;
    if (flags & EV_ADD) note->flags = flags & (EV_ONESHOT | EV_CLEAR);
    if (flags & (EV_ADD | EV_ENABLE)) note->enabled = true;
    if (flags & EV_DISABLE) note->enabled = false;
    if (user && change->fflags & NOTE_TRIGGER) note->triggered = true;
    note->udata = change->udata;
    if (!user && note->flags & EV_CLEAR && !note->edge) {
      struct epoll_event event = {.events = EPOLLET | asked[part]};
      int edge = epoll_create1(EPOLL_CLOEXEC);
      if (edge < 0 || epoll_ctl(edge, EPOLL_CTL_ADD, (int)change->ident, &event) < 0) return errno;
      note->edge = edge + 1;
    }
  }
  settle(watch);
  if (watch->dead) sweep(set);
  return 0;
}

static int64_t readable_bytes(int fd) {
  int bytes;
  return ioctl(fd, FIONREAD, &bytes) < 0 ? 1 : bytes;
}

static bool deliver(struct watch *watch, int part, short revents, void *out, size_t at) {
  struct note *note = &watch->note[part];
  if (!note->present || !note->enabled) return false;
  struct kevent event = {.ident = watch->ident, .flags = note->flags, .udata = note->udata};
  if (watch->user) {
    if (!note->triggered) return false;
    event.filter = EVFILT_USER;
    if (note->flags & EV_CLEAR) note->triggered = false;
  } else {
    /* Out-of-band data is not announced by a hang-up. */
    if (!(revents & (asked[part] | (part < 2 ? POLLHUP | POLLERR : 0)))) return false;
    struct epoll_event edge;
    if (note->edge && epoll_wait(note->edge - 1, &edge, 1, 0) <= 0) return false;
    event.filter = part == 2 ? EVFILT_EXCEPT : part ? EVFILT_WRITE : EVFILT_READ;
    if (revents & (POLLHUP | POLLERR) || (!part && revents & POLLRDHUP)) event.flags |= EV_EOF;
    event.data = part ? 1 : readable_bytes((int)watch->ident);
  }
  if (note->flags & EV_ONESHOT) {
    drop_note(note);
    settle(watch);
  }
  ((struct kevent *)out)[at] = event;
  return true;
}

static bool valid(const struct timespec *time) {
  return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < SECOND_NS;
}

int kqueue(void) {
  pthread_mutex_lock(&lock);
  int fd = new_set("kqueue", true);
  pthread_mutex_unlock(&lock);
  return fd;
}

int kevent(int kq, const struct kevent *changelist, int nchanges, struct kevent *eventlist,
           int nevents, const struct timespec *timeout) {
  if (nchanges < 0 || nevents < 0 || (timeout && !valid(timeout))) return errno = EINVAL, -1;
  if ((nchanges && !changelist) || (nevents && !eventlist)) return errno = EFAULT, -1;
  pthread_mutex_lock(&lock);
  struct set *set = find_set(kq);
  int got = 0, failure = set ? 0 : EBADF;
  bool applied = false;
  for (int i = 0; i < nchanges && !failure; i++) {
    struct kevent change = changelist[i]; /* a copy: both lists may be the same memory */
    int error = apply(set, &change);
    if (!error) applied = true;
    if (!error && !(change.flags & EV_RECEIPT)) continue;
    if (got < nevents) {
      change.flags |= EV_ERROR;
      change.data = error;
      eventlist[got++] = change;
    } else {
      failure = error;
    }
  }
  if (applied) changed();
  if (failure) {
    got = -1;
    errno = failure;
  } else if (!got && nevents) {
    got = wait_for(set, timeout, deliver, eventlist, nevents);
  }
  pthread_mutex_unlock(&lock);
  return got;
}
