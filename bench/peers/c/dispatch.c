// dispatch BACKEND REGISTERED READY MILLISECONDS: polls REGISTERED descriptors, the last READY of
// which are ready, and looks up the key of each and its events within the interest mask.
#define _GNU_SOURCE
#include "measure.h"
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ = 1, WRITE = 2 };

struct key {
  int fd;
  unsigned events;
  void *data;
};

struct event {
  struct key *key;
  unsigned events;
};

static int registered, ready;
static struct key *keys; // By descriptor.
static struct event *result;

static void check(int count) {
  if (count == ready) return;
  fprintf(stderr, "%d ready instead of %d\n", count, ready);
  exit(1);
}

static int report(int count, int fd, unsigned events) {
  struct key *key = &keys[fd];
  events &= key->events;
  if (events == 0) return count;
  result[count] = (struct event){key, events};
  return count + 1;
}

static int epoll;
static struct epoll_event *epoll_events;

static void epoll_add(int fd) {
  if (epoll == 0) epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_events == NULL) epoll_events = calloc(registered, sizeof *epoll_events);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static void epoll_work(long n) {
  while (n-- > 0) {
    int found = epoll_wait(epoll, epoll_events, registered, 0), count = 0;
    for (int i = 0; i < found; i++) {
      unsigned events = epoll_events[i].events;
      count = report(count, epoll_events[i].data.fd,
                     (events & ~EPOLLOUT ? READ : 0) | (events & ~EPOLLIN ? WRITE : 0));
    }
    check(count);
  }
}

static struct pollfd *poll_fds;
static int poll_count;

static void poll_add(int fd) {
  if (poll_fds == NULL) poll_fds = calloc(registered, sizeof *poll_fds);
  poll_fds[poll_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void poll_work(long n) {
  while (n-- > 0) {
    int left = poll(poll_fds, poll_count, 0), count = 0;
    for (int i = 0; left > 0; i++) {
      int events = poll_fds[i].revents;
      if (events == 0) continue;
      left--;
      count = report(count, poll_fds[i].fd,
                     (events & ~POLLOUT ? READ : 0) | (events & ~POLLIN ? WRITE : 0));
    }
    check(count);
  }
}

// Sets of any size, in words, as fd_set ends at 1,024.
enum { BITS = 8 * sizeof(unsigned long), WORDS = 1 << 14 };
static unsigned long asked_read[WORDS], asked_write[WORDS], is_read[WORDS], is_write[WORDS];
static int select_words;

static void select_add(int fd) {
  asked_read[fd / BITS] |= 1UL << fd % BITS;
  if (fd / BITS >= select_words) select_words = fd / BITS + 1;
}

static void select_work(long n) {
  while (n-- > 0) {
    memcpy(is_read, asked_read, select_words * sizeof *is_read);
    memcpy(is_write, asked_write, select_words * sizeof *is_write);
    struct timeval zero = {0, 0};
    int left = select(select_words * BITS, (fd_set *)is_read, (fd_set *)is_write, NULL, &zero);
    int count = 0;
    for (int word = 0; left > 0; word++) {
      unsigned long bits = is_read[word] | is_write[word];
      while (bits != 0) {
        int bit = __builtin_ctzl(bits);
        bits &= bits - 1;
        unsigned events = (is_read[word] >> bit & 1) * READ | (is_write[word] >> bit & 1) * WRITE;
        left -= events == (READ | WRITE) ? 2 : 1;
        count = report(count, word * BITS + bit, events);
      }
    }
    check(count);
  }
}

static const struct backend {
  const char *name;
  void (*add)(int fd);
  void (*work)(long n);
} backends[] = {
    {"epoll", epoll_add, epoll_work},
    {"poll", poll_add, poll_work},
    {"select", select_add, select_work},
};

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  raise_file_limit();
  registered = atoi(argv[2]);
  ready = atoi(argv[3]);
  if (registered < 1) return 2;
  const struct backend *backend = backends;
  while (strcmp(backend->name, argv[1]) != 0) backend++;
  int *fds = calloc(registered + 1, sizeof *fds);
  for (int i = 0; i < registered; i += 2) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds + i) < 0)
      fail("socketpair");
  }
  keys = calloc(registered + 64, sizeof *keys);
  result = calloc((size_t)registered, sizeof *result);
  for (int i = 0; i < registered; i++) {
    keys[fds[i]] = (struct key){.fd = fds[i], .events = READ};
    backend->add(fds[i]);
  }
  // The other end of each pair makes it ready.
  for (int i = registered - ready; i < registered; i++) {
    if (write(fds[i ^ 1], "x", 1) != 1) fail("write");
  }
  measure(backend->work, atof(argv[4]));
}
