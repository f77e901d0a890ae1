// An echo server for datagrams, over epoll. It prints its port, and ends when its standard input
// does. It receives until there is nothing left, and drops answers that there is no room for.
#define _GNU_SOURCE
#include "measure.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static int epoll;

static void watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

int main(void) {
  static char buffer[65536];
  epoll = epoll_create1(EPOLL_CLOEXEC);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, size) < 0) fail("bind");
  getsockname(fd, (struct sockaddr *)&address, &size);
  watch(fd);
  watch(0);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    struct epoll_event event;
    epoll_wait(epoll, &event, 1, -1);
    if (event.data.fd == 0) return 0;
    ssize_t received;
    while (size = sizeof address, (received = recvfrom(fd, buffer, sizeof buffer, 0,
                                                       (struct sockaddr *)&address, &size)) >= 0) {
      sendto(fd, buffer, received, 0, (struct sockaddr *)&address, size);
    }
  }
}
