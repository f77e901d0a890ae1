/*
 * Stands in for libc, whose calls fail now and then, to test what callers do then:
 *
 *     cc -shared -fPIC -O1 -o faulty_libc.so faulty_libc.c
 *
 * The environment has the rules: FAULTS="recv=EINTR/5 epoll_ctl=ENOSPC/9" makes about one of five
 * calls of recv fail with EINTR, and one of nine of epoll_ctl with ENOSPC; FAULT_SEED chooses them.
 * A failed call has done nothing, except close, which always closes. What is not defined here is
 * libc's own, since dlsym(3) also looks in the libraries that a library needs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

static struct {
  char call[32];
  int error;
  unsigned one_of;
} rules[32];

static int rule_count;
static uint64_t seed;
static _Atomic uint64_t call_count;

static int number_of(const char *name) {
  static const struct {
    const char *name;
    int number;
  } errors[] = {
      {"EAGAIN", EAGAIN},         {"ECONNABORTED", ECONNABORTED}, {"ECONNRESET", ECONNRESET},
      {"EINTR", EINTR},           {"EIO", EIO},                   {"EMFILE", EMFILE},
      {"ENFILE", ENFILE},         {"ENOBUFS", ENOBUFS},           {"ENOMEM", ENOMEM},
      {"ENOSPC", ENOSPC},         {"EPERM", EPERM},               {"EPROTO", EPROTO},
      {"ETIMEDOUT", ETIMEDOUT},
  };
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (!strcmp(errors[i].name, name)) return errors[i].number;
  fprintf(stderr, "FAULTS names an unknown error: %s\n", name);
  abort();
}

__attribute__((constructor)) static void load(void) {
  const char *text = getenv("FAULT_SEED");
  seed = text ? strtoull(text, NULL, 10) : 1;
  text = getenv("FAULTS");
  char name[32];
  int size;
  while (text && rule_count < 32 &&
         sscanf(text, " %31[^= ]=%31[^/ ]/%u%n", rules[rule_count].call, name,
                &rules[rule_count].one_of, &size) == 3) {
    rules[rule_count++].error = number_of(name);
    text += size;
  }
}

/* Returns the error with which a call must fail, or 0. */
static int fault(const char *call) {
  for (int i = 0; i < rule_count; i++) {
    if (strcmp(rules[i].call, call)) continue;
    uint64_t x = seed + 0x9E3779B97F4A7C15 * ++call_count; /* splitmix64 */
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    if ((x ^ x >> 31) % rules[i].one_of == 0) return rules[i].error;
  }
  return 0;
}

#define CALL(result, name, parameters, arguments) WAIT(result, name, parameters, arguments, true)

/* A call that waits is not interrupted when it does not block. */
#define WAIT(result, name, parameters, arguments, blocks)  \
  result name parameters {                                 \
    static result(*real) parameters;                       \
    int error = fault(#name);                              \
    if (error == EINTR && !(blocks)) error = 0;            \
    if (error) return errno = error, -1;                   \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name);  \
    return real arguments;                                 \
  }

/* Only to add a descriptor needs memory. */
int epoll_ctl(int epoll, int operation, int fd, void *event) {
  static int (*real)(int epoll, int operation, int fd, void *event);
  int error = operation == 1 /* EPOLL_CTL_ADD */ ? fault("epoll_ctl") : 0;
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
CALL(int, socket, (int family, int type, int protocol), (family, type, protocol))
CALL(int, socketpair, (int family, int type, int protocol, int *fds), (family, type, protocol, fds))
CALL(int, pipe2, (int *fds, int flags), (fds, flags))
CALL(int, connect, (int fd, const void *address, unsigned length), (fd, address, length))
CALL(int, accept4, (int fd, void *address, void *length, int flags), (fd, address, length, flags))
CALL(int, setsockopt, (int fd, int level, int name, const void *value, unsigned length),
     (fd, level, name, value, length))
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
  int result = real(fd), error = fault("close");
  return error && !result ? (errno = error, -1) : result;
}
