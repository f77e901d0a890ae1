// datagram_client SIZE PORT IN_FLIGHT WARM_UP_MS WINDOW_MS SERVER_PID: keeps IN_FLIGHT datagrams of
// SIZE bytes in flight to an echo server on 127.0.0.1, from one socket. Answers that are missing
// after 100 ms count as lost.
#define _GNU_SOURCE
#include "client.h"

enum { MOST = 256, LARGEST = 2048 };

static int fd, in_flight;
static struct mmsghdr messages[MOST];
static struct iovec parts[MOST];
static char data[MOST][LARGEST];

static void send_datagrams(int count) {
  for (int sent = 0; sent < count;) {
    int more = sendmmsg(fd, messages + sent, count - sent, 0);
    if (more < 0) fail("sendmmsg");
    sent += more;
  }
}

static void handle_events(void) {
  struct epoll_event event;
  if (epoll_wait(epoll, &event, 1, 100) == 0) return send_datagrams(in_flight);
  int found = recvmmsg(fd, messages, in_flight, MSG_DONTWAIT, NULL);
  if (found < 0 && errno == EAGAIN) return;
  if (found < 0) fail("recvmmsg");
  for (int i = 0; i < found; i++) {
    if (messages[i].msg_len != parts[i].iov_len) {
      fprintf(stderr, "an answer of another size\n");
      exit(1);
    }
  }
  answers += found;
  send_datagrams(found);
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  start_client(argv[2], argv[6]);
  size_t size = atol(argv[1]);
  in_flight = atoi(argv[3]);
  if (size > LARGEST || in_flight > MOST) return 2;
  for (int i = 0; i < in_flight; i++) {
    parts[i] = (struct iovec){.iov_base = data[i], .iov_len = size};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  }
  fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0) fail("connect");
  struct epoll_event event = {.events = EPOLLIN};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
  send_datagrams(in_flight);
  measure_server(atof(argv[4]), atof(argv[5]), argv[6]);
}
