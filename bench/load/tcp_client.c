// tcp_client PROTOCOL PORT CONNECTIONS WARM_UP_MS WINDOW_MS SERVER_PID: keeps one request in flight
// on each of CONNECTIONS connections to a server on 127.0.0.1. PROTOCOL is http, or the size of the
// messages to an echo server.
#define _GNU_SOURCE
#include "client.h"
#include <netinet/tcp.h>

enum { PER_ADDRESS = 10000, CONNECTING = 256 };

struct connection {
  int fd;
  int connected;
  size_t unsent, received;
};

static int is_http;
static size_t request_size, answer_size;
static char *request, *answer;
static struct connection *connections;
static int started, connected, count;

static void control(int operation, struct connection *connection, unsigned mask) {
  struct epoll_event event = {.events = mask, .data.ptr = connection};
  if (epoll_ctl(epoll, operation, connection->fd, &event) < 0) fail("epoll_ctl");
}

// A local address has too few ports for all connections, so they come from several addresses.
static void start_connection(void) {
  struct connection *connection = &connections[started];
  struct sockaddr_in own = {.sin_family = AF_INET};
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + started++ / PER_ADDRESS);
  int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) fail("bind");
  if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)
    fail("connect");
  connection->fd = fd;
  control(EPOLL_CTL_ADD, connection, EPOLLOUT);
}

static void send_rest(struct connection *connection, int is_waiting) {
  ssize_t sent = send(connection->fd, request + request_size - connection->unsent,
                      connection->unsent, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) fail("send");
  if (sent > 0) connection->unsent -= sent;
  if (connection->unsent > 0 && !is_waiting) control(EPOLL_CTL_MOD, connection, EPOLLIN | EPOLLOUT);
  if (connection->unsent == 0 && is_waiting) control(EPOLL_CTL_MOD, connection, EPOLLIN);
}

static void send_request(struct connection *connection) {
  connection->unsent = request_size;
  connection->received = 0;
  send_rest(connection, 0);
}

static void refuse(const char *reason) {
  fprintf(stderr, "%s\n", reason);
  exit(1);
}

// Reads the length of the answers from the first one, which has to come in one piece.
static void parse_answer(const char *data, size_t size) {
  char head[4096] = "";
  memcpy(head, data, size < sizeof head ? size : sizeof head - 1);
  char *end = strstr(head, "\r\n\r\n"), *length = strcasestr(head, "\r\ncontent-length:");
  if (strncmp(head, "HTTP/1.1 200 ", 13) != 0 || end == NULL || length == NULL)
    refuse("the answer is not a 200 with a Content-Length");
  answer_size = end + 4 - head + atol(length + 17);
}

static void receive(struct connection *connection) {
  size_t room = is_http ? 4096 : request_size - connection->received;
  ssize_t size = recv(connection->fd, answer, room, 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size < 0) fail("recv");
  if (size == 0) refuse("the server closed the connection");
  if (is_http && answer_size == 0) parse_answer(answer, size);
  if (!is_http && memcmp(answer, request + connection->received, size) != 0)
    refuse("the answer differs from the message");
  connection->received += size;
  if (connection->received > answer_size) refuse("the answers differ in length");
  if (connection->received < answer_size) return;
  answers++;
  send_request(connection);
}

static void finish_connection(struct connection *connection) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) {
    errno = error;
    fail("connect");
  }
  connection->connected = 1;
  connected++;
  control(EPOLL_CTL_MOD, connection, EPOLLIN);
}

static void handle_events(void) {
  static struct epoll_event events[1024];
  int found = epoll_wait(epoll, events, 1024, 100);
  for (int i = 0; i < found; i++) {
    struct connection *connection = events[i].data.ptr;
    if (!connection->connected) {
      finish_connection(connection);
      continue;
    }
    if (events[i].events & EPOLLOUT) send_rest(connection, 1);
    if (events[i].events & ~EPOLLOUT) receive(connection);
  }
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  start_client(argv[2], argv[6]);
  count = atoi(argv[3]);
  connections = calloc(count, sizeof *connections);
  is_http = strcmp(argv[1], "http") == 0;
  if (is_http) {
    request = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
    request_size = strlen(request);
    answer = malloc(4096);
  } else {
    request_size = answer_size = atol(argv[1]);
    request = malloc(request_size);
    answer = malloc(request_size);
    for (size_t i = 0; i < request_size; i++) request[i] = i * 31 + i / 256;
  }
  while (connected < count) {
    while (started < count && started - connected < CONNECTING) start_connection();
    handle_events();
  }
  for (int i = 0; i < count; i++) send_request(&connections[i]);
  measure_server(atof(argv[4]), atof(argv[5]), argv[6]);
}
