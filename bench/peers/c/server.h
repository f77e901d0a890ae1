// A TCP server over epoll. It prints its port, and ends when its standard input does. It receives
// once per readiness, answers at once, and stops reading from a peer while something is unsent.
#ifndef SERVER_H
#define SERVER_H

#include "measure.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
  int fd;
  unsigned state; // For the program.
  char *unsent; // NULL, or what the socket had no room for.
  size_t unsent_size;
};

static int epoll;
static struct connection server, input;
static char buffer[16 * 1024];
static struct epoll_event events[20000];

// Answers the data in the buffer: sets what to send, and returns its size.
static size_t answer(struct connection *connection, size_t size, const char **output);

static void control(int operation, struct connection *connection, unsigned mask) {
  struct epoll_event event = {.events = mask, .data.ptr = connection};
  if (epoll_ctl(epoll, operation, connection->fd, &event) < 0) fail("epoll_ctl");
}

static void hang_up(struct connection *connection) {
  control(EPOLL_CTL_DEL, connection, 0);
  close(connection->fd);
  free(connection->unsent);
  free(connection);
}

static void accept_all(void) {
  int fd;
  while ((fd = accept4(server.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = calloc(1, sizeof *connection);
    connection->fd = fd;
    control(EPOLL_CTL_ADD, connection, EPOLLIN);
  }
}

static void transmit(struct connection *connection, const char *data, size_t size) {
  ssize_t sent = send(connection->fd, data, size, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN) return hang_up(connection);
    sent = 0;
  }
  char *held = connection->unsent;
  connection->unsent_size = size - sent;
  connection->unsent = NULL;
  if ((size_t)sent < size) {
    connection->unsent = malloc(size - sent);
    memcpy(connection->unsent, data + sent, size - sent);
    if (held == NULL) control(EPOLL_CTL_MOD, connection, EPOLLOUT);
  } else if (held != NULL) {
    control(EPOLL_CTL_MOD, connection, EPOLLIN);
  }
  free(held);
}

static void handle(struct connection *connection) {
  if (connection == &server) return accept_all();
  if (connection == &input) exit(0);
  if (connection->unsent != NULL) {
    return transmit(connection, connection->unsent, connection->unsent_size);
  }
  ssize_t size = recv(connection->fd, buffer, sizeof buffer, 0);
  if (size == 0 || (size < 0 && errno != EAGAIN)) return hang_up(connection);
  if (size < 0) return;
  const char *output;
  size_t output_size = answer(connection, size, &output);
  if (output_size > 0) transmit(connection, output, output_size);
}

int main(void) {
  raise_file_limit();
  epoll = epoll_create1(EPOLL_CLOEXEC);
  server.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(server.fd, (struct sockaddr *)&address, size) < 0) fail("bind");
  if (listen(server.fd, 4096) < 0) fail("listen");
  getsockname(server.fd, (struct sockaddr *)&address, &size);
  control(EPOLL_CTL_ADD, &server, EPOLLIN);
  control(EPOLL_CTL_ADD, &input, EPOLLIN);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int count = epoll_wait(epoll, events, sizeof events / sizeof *events, -1);
    for (int i = 0; i < count; i++) handle(events[i].data.ptr);
  }
}

#endif
