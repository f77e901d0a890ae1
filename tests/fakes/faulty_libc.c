/*
 * Stands in for libc, whose calls fail now and then, to test what callers do then:
 *
 *     cc -shared -fPIC -O1 -o faulty_libc.so faulty_libc.c
 *
 * The environment has the rules: FAULTS="recv=EINTR/5 epoll_ctl=ENOSPC/9" makes about one of five
 * calls of recv fail with EINTR, and one of nine of epoll_ctl with ENOSPC; FAULT_SEED chooses them.
 * FAULTS may also be the absolute path of a file with the rules. Another file that is renamed to
 * that path takes effect at once, and the rules that have made a call fail are listed in a file
 * beside it, whose name ends in .made.
 *
 * A failed call has done nothing, except close, which always closes. What is not defined here is
 * libc's own, since dlsym(3) also looks in the libraries that a library needs.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its inline wrappers would clash with our own calls */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RULES = 64 };

struct rule {
  char call[32], error[32];
  int number;
  unsigned one_of;
  atomic_bool was_made;
};

/* Never freed, as another thread may read them. */
struct rules {
  struct stat file;
  int count;
  struct rule list[MOST_RULES];
};

static const char *path; /* of the file with the rules, if they are in one */
static _Atomic(struct rules *) current;
static uint64_t seed;
static _Atomic uint64_t call_count;

static int number_of(const char *name) {
  static const struct {
    const char *name;
    int number;
  } errors[] = {
      {"EADDRNOTAVAIL", EADDRNOTAVAIL}, {"EAGAIN", EAGAIN},
      {"ECONNABORTED", ECONNABORTED},   {"ECONNREFUSED", ECONNREFUSED},
      {"ECONNRESET", ECONNRESET},       {"EINTR", EINTR},
      {"EINVAL", EINVAL},               {"EIO", EIO},
      {"EMFILE", EMFILE},               {"ENETDOWN", ENETDOWN},
      {"ENFILE", ENFILE},               {"ENOBUFS", ENOBUFS},
      {"ENOMEM", ENOMEM},               {"ENOSPC", ENOSPC},
      {"ENOTCONN", ENOTCONN},           {"EPERM", EPERM},
      {"EPIPE", EPIPE},                 {"EPROTO", EPROTO},
      {"ETIMEDOUT", ETIMEDOUT},         {"ETOOMANYREFS", ETOOMANYREFS},
  };
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (!strcmp(errors[i].name, name)) return errors[i].number;
  fprintf(stderr, "FAULTS names an unknown error: %s\n", name);
  abort();
}

static struct rules *parse(const char *text) {
  struct rules *rules = calloc(1, sizeof *rules);
  int size;
  for (struct rule *rule = rules->list;
       rules->count < MOST_RULES && sscanf(text, " %31[^= ]=%31[^/ ]/%u%n", rule->call, rule->error,
                                           &rule->one_of, &size) == 3;
       rule++, rules->count++, text += size)
    rule->number = number_of(rule->error);
  if (text[strspn(text, " \n")]) {
    fprintf(stderr, "FAULTS has something that is not a rule: %s\n", text);
    abort();
  }
  return rules;
}

static bool is_same(const struct stat *one, const struct stat *other) {
  return one->st_ino == other->st_ino && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
         one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

/* Returns the rules, after reading the file if there is another one. */
static struct rules *the_rules(void) {
  struct rules *rules = current;
  struct stat file;
  if (!path || stat(path, &file) < 0 || (rules && is_same(&rules->file, &file))) return rules;
  char text[4096];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  long size = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  text[size > 0 ? size : 0] = 0;
  rules = parse(text);
  rules->file = file;
  return current = rules;
}

__attribute__((constructor)) static void load(void) {
  const char *text = getenv("FAULT_SEED");
  seed = text ? strtoull(text, NULL, 10) : 1;
  text = getenv("FAULTS");
  if (text && *text == '/') path = strdup(text);
  else current = parse(text ? text : "");
}

static void note(struct rule *rule) {
  if (!path || atomic_exchange(&rule->was_made, true)) return;
  char name[4096], line[80];
  snprintf(name, sizeof name, "%s.made", path);
  int size = snprintf(line, sizeof line, "%s=%s\n", rule->call, rule->error);
  int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  syscall(SYS_write, fd, line, size);
  syscall(SYS_close, fd);
}

/* Returns the error with which a call must fail, or 0. An EINTR counts only if it can be. */
static int fault(const char *call, bool blocks) {
  struct rules *rules = the_rules();
  for (int i = 0; rules && i < rules->count; i++) {
    struct rule *rule = &rules->list[i];
    if (strcmp(rule->call, call) || (rule->number == EINTR && !blocks)) continue;
    uint64_t x = seed + 0x9E3779B97F4A7C15 * ++call_count; /* splitmix64 */
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    if ((x ^ x >> 31) % rule->one_of) continue;
    note(rule);
    return rule->number;
  }
  return 0;
}

#define CALL(result, name, parameters, arguments) WAIT(result, name, parameters, arguments, true)

/* A call that waits is not interrupted when it does not block. */
#define WAIT(result, name, parameters, arguments, blocks)  \
  result name parameters {                                 \
    static result(*real) parameters;                       \
    int error = fault(#name, blocks);                      \
    if (error) return errno = error, -1;                   \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name);  \
    return real arguments;                                 \
  }

/* Linux needs memory only to add a descriptor, but other systems also to change what is watched. */
int epoll_ctl(int epoll, int operation, int fd, void *event) {
  static int (*real)(int epoll, int operation, int fd, void *event);
  const char *name = operation == 1   ? "epoll_ctl" /* EPOLL_CTL_ADD */
                     : operation == 3 ? "epoll_ctl_mod"
                                      : "epoll_ctl_del";
  int error = fault(name, true);
  if (error) return errno = error, -1;
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "epoll_ctl");
  return real(epoll, operation, fd, event);
}

static bool is_zero(const struct timespec *timeout) {
  return timeout && !timeout->tv_sec && !timeout->tv_nsec;
}

CALL(long, read, (int fd, void *data, size_t size), (fd, data, size))
CALL(long, write, (int fd, const void *data, size_t size), (fd, data, size))
CALL(long, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
CALL(long, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
CALL(long, recvfrom, (int fd, void *data, size_t size, int flags, void *from, void *length),
     (fd, data, size, flags, from, length))
CALL(long, sendto,
     (int fd, const void *data, size_t size, int flags, const void *to, unsigned length),
     (fd, data, size, flags, to, length))
CALL(long, recvmsg, (int fd, void *message, int flags), (fd, message, flags))
CALL(long, sendmsg, (int fd, const void *message, int flags), (fd, message, flags))
CALL(int, recvmmsg, (int fd, void *messages, unsigned count, int flags, void *timeout),
     (fd, messages, count, flags, timeout))
CALL(int, sendmmsg, (int fd, void *messages, unsigned count, int flags),
     (fd, messages, count, flags))
CALL(int, socket, (int family, int type, int protocol), (family, type, protocol))
CALL(int, socketpair, (int family, int type, int protocol, int *fds), (family, type, protocol, fds))
CALL(int, pipe2, (int fds[2], int flags), (fds, flags))
CALL(int, connect, (int fd, const void *address, unsigned length), (fd, address, length))
CALL(int, accept4, (int fd, void *address, void *length, int flags), (fd, address, length, flags))
CALL(int, setsockopt, (int fd, int level, int name, const void *value, unsigned length),
     (fd, level, name, value, length))
CALL(int, getsockopt, (int fd, int level, int name, void *value, void *length),
     (fd, level, name, value, length))
CALL(int, getsockname, (int fd, void *address, void *length), (fd, address, length))
CALL(int, getpeername, (int fd, void *address, void *length), (fd, address, length))
CALL(int, shutdown, (int fd, int how), (fd, how))
CALL(int, eventfd, (unsigned count, int flags), (count, flags))
CALL(int, dup3, (int from, int to, int flags), (from, to, flags))
CALL(int, epoll_create1, (int flags), (flags))

WAIT(int, epoll_wait, (int epoll, void *events, int count, int timeout),
     (epoll, events, count, timeout), timeout)
WAIT(int, epoll_pwait2,
     (int epoll, void *events, int count, const struct timespec *timeout, const void *mask),
     (epoll, events, count, timeout, mask), !is_zero(timeout))
WAIT(int, poll, (void *fds, unsigned long count, int timeout), (fds, count, timeout), timeout)
WAIT(int, ppoll,
     (void *fds, unsigned long count, const struct timespec *timeout, const void *mask),
     (fds, count, timeout, mask), !is_zero(timeout))
WAIT(int, select, (int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout),
     (count, in, out, except, timeout), !timeout || timeout->tv_sec || timeout->tv_usec)
WAIT(int, pselect,
     (int count, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
      const sigset_t *mask),
     (count, in, out, except, timeout, mask), !is_zero(timeout))

int close(int fd) {
  static int (*real)(int fd);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "close");
  int result = real(fd), error = fault("close", true);
  return error && !result ? (errno = error, -1) : result;
}
