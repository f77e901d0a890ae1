// stream_client PROXY_PORT PORT WARM_UP_MS WINDOW_MS PROXY_PID: sends bytes to a proxy on
// 127.0.0.1, as many as it takes, and receives them from it on PORT.
#define _GNU_SOURCE
#include "client.h"
#include <fcntl.h>
#include <unistd.h>

enum { SIZE = 256 * 1024 };

static int source, sink;
static char pattern[2 * SIZE], received[SIZE];
static size_t sent_at, received_at;

static void send_more(void) {
  ssize_t sent = send(source, pattern + sent_at, SIZE, MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) return;
  if (sent < 0) fail("send");
  sent_at = (sent_at + sent) % SIZE;
}

static void receive_more(void) {
  ssize_t size = recv(sink, received, SIZE, 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size < 0) fail("recv");
  if (size == 0 || memcmp(received, pattern + received_at, size) != 0) {
    fprintf(stderr, "the bytes differ\n");
    exit(1);
  }
  received_at = (received_at + size) % SIZE;
  answers += size;
}

static void handle_events(void) {
  struct epoll_event events[2];
  int found = epoll_wait(epoll, events, 2, 100);
  for (int i = 0; i < found; i++) {
    if (events[i].data.fd == source) send_more();
    else receive_more();
  }
}

static void add(int fd, unsigned mask) {
  struct epoll_event event = {.events = mask, .data.fd = fd};
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) fail("fcntl");
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  start_client(argv[1], argv[5]);
  for (size_t i = 0; i < sizeof pattern; i++) pattern[i] = i % SIZE * 31 + i % SIZE / 256;
  struct sockaddr_in target = server;
  target.sin_port = htons(atoi(argv[2]));
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&target, sizeof target) < 0) fail("bind");
  if (listen(listener, 1) < 0) fail("listen");
  for (;;) { // The proxy may not listen yet.
    source = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(source, (struct sockaddr *)&server, sizeof server) == 0) break;
    if (errno != ECONNREFUSED) fail("connect");
    close(source);
    usleep(10000);
  }
  sink = accept(listener, NULL, NULL);
  if (sink < 0) fail("accept");
  add(source, EPOLLOUT);
  add(sink, EPOLLIN);
  measure_server(atof(argv[3]), atof(argv[4]), argv[5]);
}
