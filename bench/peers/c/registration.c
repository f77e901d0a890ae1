// registration OPERATION MILLISECONDS: registers and unregisters a descriptor, or modifies its
// events.
#define _GNU_SOURCE
#include "measure.h"
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct key {
  int fd;
  unsigned events;
  void *data;
};

static int epoll, fd;
static struct key keys[64]; // By descriptor.

static void control(int operation, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(epoll, operation, fd, &event) < 0) fail("epoll_ctl");
  keys[fd] = (struct key){.fd = fd, .events = events};
}

static void register_and_unregister(long n) {
  while (n-- > 0) {
    control(EPOLL_CTL_ADD, EPOLLIN);
    control(EPOLL_CTL_DEL, 0);
  }
}

static void modify_events(long n) {
  while (n-- > 0) control(EPOLL_CTL_MOD, n & 1 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0) fail("socketpair");
  fd = pair[0];
  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (strcmp(argv[1], "register") == 0) {
    measure(register_and_unregister, atof(argv[2]));
  } else {
    control(EPOLL_CTL_ADD, EPOLLIN);
    measure(modify_events, atof(argv[2]));
  }
}
