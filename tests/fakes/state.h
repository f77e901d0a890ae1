/*
 * What kqueue.c and devpoll.c share: sets of watched descriptors, and a wait for them with poll(2).
 *
 * One mutex guards everything. Results always come from a poll with the mutex held, so that they
 * never mix two states of a set. Sleeping happens without it, and only tells when to poll again.
 *
 * Include it first: it asks for the system's extensions.
 */
#ifndef FAKES_STATE_H
#define FAKES_STATE_H

#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its inline wrappers would clash with our own `open` */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * A sleeping poll(2) keeps the files that it watches open, so that the peer does not see a close(2)
 * meanwhile. Sleeps end after this time, so that a close takes effect.
 */
#define SLICE_NS 20000000L
#define SECOND_NS 1000000000L

/*
 * The file behind a descriptor. On Linux all eventfds, timerfds and epolls share one inode, and
 * both ends of a pipe share another, so the reuse of one for another of its kind goes unnoticed.
 */
struct identity {
  bool open;
  dev_t dev;
  ino_t ino;
};

enum { PARTS = 3 };

/* One of kqueue's filters on a descriptor; /dev/poll does not use it. */
struct note {
  bool present, enabled, triggered;
  uint16_t flags;
  void *udata;
  int edge; /* of an edge-triggered note: an epoll instance plus one, or 0 */
};

struct watch {
  uint64_t ident;
  bool user;       /* `ident` is a name, not a descriptor */
  bool any_file;   /* the identity is not checked */
  bool dead;       /* sweep() removes it */
  int poll_fd;     /* negative if there is nothing to poll: poll(2) skips it */
  short events;
  struct identity identity;
  struct note note[PARTS];
};

struct set {
  struct set *next;
  int fd;          /* the caller's descriptor: a memfd, which has an inode of its own */
  struct identity identity;
  unsigned busy;   /* the number of waits in progress, during which it must not be freed */
  size_t count, capacity;
  size_t turn;     /* where the next look() starts, so that a short result list starves no watch */
  struct watch *watches;
};

/* Stores part 0 or 1 of a watch as `out[at]`; returns false if there is nothing to report. */
typedef bool deliver_fn(struct watch *watch, int part, short revents, void *out, size_t at);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct set *sets;

/*
 * One descriptor wakes the sleepers of all sets, so that a set whose descriptor is closed leaves
 * only memory behind. It is a semaphore: a change posts a token for each sleeping thread, which
 * takes it.
 */
static int wake_fd = -1;
static unsigned long generation;
static unsigned asleep;

static struct identity identify(int fd) {
  struct stat st;
  if (fstat(fd, &st) < 0) return (struct identity){0};
  return (struct identity){.open = true, .dev = st.st_dev, .ino = st.st_ino};
}

static bool same(struct identity a, struct identity b) {
  return a.open == b.open && a.dev == b.dev && a.ino == b.ino;
}

/* ---- sets; the lock must be held ---- */

static struct set *find_set(int fd) {
  struct identity identity = identify(fd);
  if (!identity.open) return NULL;
  for (struct set *set = sets; set; set = set->next)
    if (set->fd == fd && same(set->identity, identity)) return set;
  return NULL;
}

/* Removes a note. */
static void drop_note(struct note *note) {
  if (note->edge) syscall(SYS_close, note->edge - 1);
  *note = (struct note){0};
}

static void drop_notes(struct watch *watch) {
  for (int part = 0; part < PARTS; part++) drop_note(&watch->note[part]);
}

/* Frees a set. */
static void free_set(struct set *set) {
  for (size_t i = 0; i < set->count; i++) drop_notes(&set->watches[i]);
  free(set->watches);
  free(set);
}

/* Frees the sets whose descriptor was closed. */
static void reap(void) {
  for (struct set **link = &sets; *link;) {
    struct set *set = *link;
    if (set->busy || same(identify(set->fd), set->identity)) {
      link = &set->next;
      continue;
    }
    *link = set->next;
    free_set(set);
  }
}

/* Returns the descriptor of a new set, or -1 and errno. */
static int new_set(const char *name, bool close_on_exec) {
  if (wake_fd < 0) return errno = EMFILE, -1;
  reap();
  struct set *set = calloc(1, sizeof *set);
  if (!set) return -1;
  set->fd = memfd_create(name, close_on_exec ? MFD_CLOEXEC : 0);
  if (set->fd < 0) return free(set), -1;
  set->identity = identify(set->fd);
  set->next = sets;
  sets = set;
  return set->fd;
}

/* Wakes every sleeping thread after a change. */
static void changed(void) {
  generation++;
  if (asleep) eventfd_write(wake_fd, asleep);
  asleep = 0;
}

/* Opened when the library is loaded, so that tests that count descriptors do not see it. */
__attribute__((constructor)) static void load(void) {
  wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
}

/* Also runs when the process exits, perhaps while threads sleep here. */
__attribute__((destructor)) static void unload(void) {
  pthread_mutex_lock(&lock);
  syscall(SYS_close, wake_fd);
  wake_fd = -1;
  for (struct set *set = sets, *next; set; set = next) {
    next = set->next;
    if (set->busy) continue;
    free_set(set);
  }
  sets = NULL;
  pthread_mutex_unlock(&lock);
}

/* ---- watches; the lock must be held ---- */

static bool stale(const struct watch *watch) {
  return !watch->any_file && !same(identify((int)watch->ident), watch->identity);
}

static void sweep(struct set *set) {
  size_t kept = 0;
  for (size_t i = 0; i < set->count; i++)
    if (set->watches[i].dead) drop_notes(&set->watches[i]);
    else set->watches[kept++] = set->watches[i];
  set->count = kept;
}

/* Finds a watch whose descriptor was not reused. A linear search is fast enough for thousands. */
static struct watch *find_watch(struct set *set, uint64_t ident, bool user) {
  for (size_t i = 0; i < set->count; i++) {
    struct watch *watch = &set->watches[i];
    if (watch->ident != ident || watch->user != user) continue;
    if (!stale(watch)) return watch;
    watch->dead = true;
    sweep(set);
    return NULL;
  }
  return NULL;
}

/* Returns NULL if memory runs out. Invalidates the results of earlier calls. */
static struct watch *add_watch(struct set *set, uint64_t ident, bool user) {
  if (set->count == set->capacity) {
    size_t capacity = set->capacity ? 2 * set->capacity : 16;
    struct watch *watches = realloc(set->watches, capacity * sizeof *watches);
    if (!watches) return NULL;
    set->watches = watches;
    set->capacity = capacity;
  }
  struct watch *watch = &set->watches[set->count++];
  int poll_fd = user ? -1 : (int)ident;
  *watch = (struct watch){.ident = ident, .user = user, .any_file = user, .poll_fd = poll_fd};
  if (!user) watch->identity = identify((int)ident);
  return watch;
}

/* ---- waiting ---- */

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/*
 * Polls once, without waiting, with the lock held. Returns -1 if there is nothing to report but a
 * watch was dropped: poll again. Files are identified after the poll: a number never returns to a
 * file that it has left, so it was the right one during the poll.
 */
static int look(struct set *set, struct pollfd *polled, deliver_fn *deliver, void *out,
                size_t room) {
  size_t count = set->count, got = 0;
  bool dropped = false;
  if (poll(polled, count, 0) < 0) return 0;
  for (size_t i = 0; i < count; i++)
    if (polled[i].revents && stale(&set->watches[i])) dropped = set->watches[i].dead = true;
  size_t first = count ? set->turn % (PARTS * count) : 0;
  for (size_t k = 0; k < PARTS * count && got < room; k++) {
    size_t unit = (first + k) % (PARTS * count);
    struct watch *watch = &set->watches[unit / PARTS];
    short revents = polled[unit / PARTS].revents;
    if (watch->dead || !deliver(watch, unit % PARTS, revents, out, got)) continue;
    got++;
    set->turn = unit + 1;
  }
  sweep(set);
  return got || !dropped ? (int)got : -1;
}

/* Sleeps until a change, a ready descriptor, or a timeout; the lock is held before and after. */
static int sleep_on(struct pollfd *polled, size_t count, int64_t ns) {
  if (ns > SLICE_NS) ns = SLICE_NS;
  struct timespec slice = {.tv_nsec = ns};
  unsigned long seen = generation;
  asleep++;
  pthread_mutex_unlock(&lock);
  int result = ppoll(polled, count, &slice, NULL), error = errno;
  pthread_mutex_lock(&lock);
  eventfd_t token;
  if (seen == generation) asleep--;
  else eventfd_read(wake_fd, &token);
  errno = error;
  return result;
}

/*
 * Waits until there are results, with the lock held except while it sleeps. Returns their number, 0
 * after the timeout, or -1 and errno: EINTR, ENOMEM, or EBADF if the set was closed meanwhile.
 */
static int wait_for(struct set *set, const struct timespec *timeout, deliver_fn *deliver,
                    void *out, size_t room) {
  int64_t deadline = INT64_MAX, left = INT64_MAX;
  if (timeout && timeout->tv_sec < INT32_MAX)
    deadline = now_ns() + timeout->tv_sec * SECOND_NS + timeout->tv_nsec;
  struct pollfd *polled = NULL;
  int got;
  set->busy++;
  for (;;) {
    struct pollfd *larger = realloc(polled, (set->count + 1) * sizeof *polled);
    if (!larger) {
      got = -1;
      break;
    }
    polled = larger;
    polled[0] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    for (size_t i = 0; i < set->count; i++)
      polled[i + 1].fd = set->watches[i].poll_fd, polled[i + 1].events = set->watches[i].events;
    size_t count = set->count + 1;
    got = look(set, polled + 1, deliver, out, room);
    if (got > 0) break;
    if (got < 0) continue;
    if (timeout && (left = deadline - now_ns()) <= 0) break;
    /* What is ready but not delivered is edge-triggered: it must not end the sleep. */
    for (size_t i = 1; i < count; i++)
      if (polled[i].revents) polled[i].fd = -1;
    if (sleep_on(polled, count, left) < 0) {
      got = -1;
      break;
    }
    if (!same(identify(set->fd), set->identity)) {
      errno = EBADF;
      got = -1;
      break;
    }
  }
  int error = errno;
  set->busy--;
  free(polled);
  errno = error;
  return got;
}

#endif
