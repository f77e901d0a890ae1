// echo_client PORT CONNECTIONS SIZE WARM_UP_MS WINDOW_MS SERVER_PID: keeps one message of SIZE bytes
// in flight on each of CONNECTIONS connections to an echo server on 127.0.0.1. Prints how many came
// back within the window, its length, and the CPU time of the server's process and of its own.
#define _GNU_SOURCE
#include "../peers/c/measure.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PER_ADDRESS = 10000, CONNECTING = 256, TIMEOUT_S = 60 };

struct connection {
  int fd;
  int connected;
  size_t unsent, unreceived;
};

static int epoll;
static struct sockaddr_in server = {.sin_family = AF_INET};
static size_t size;
static char *message, *answer;
static long messages;
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
  ssize_t sent = send(connection->fd, message + size - connection->unsent, connection->unsent,
                      MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) fail("send");
  if (sent > 0) connection->unsent -= sent;
  if (connection->unsent > 0 && !is_waiting) control(EPOLL_CTL_MOD, connection, EPOLLIN | EPOLLOUT);
  if (connection->unsent == 0 && is_waiting) control(EPOLL_CTL_MOD, connection, EPOLLIN);
}

static void send_message(struct connection *connection) {
  connection->unsent = connection->unreceived = size;
  send_rest(connection, 0);
}

static void receive(struct connection *connection) {
  ssize_t received = recv(connection->fd, answer, connection->unreceived, 0);
  if (received < 0 && errno == EAGAIN) return;
  if (received < 0) fail("recv");
  size_t at = size - connection->unreceived;
  if (received == 0 || memcmp(answer, message + at, received) != 0) {
    fprintf(stderr, received == 0 ? "the server closed the connection\n" : "the answer differs\n");
    exit(1);
  }
  connection->unreceived -= received;
  if (connection->unreceived > 0) return;
  messages++;
  send_message(connection);
}

static void handle_events(void) {
  static struct epoll_event events[1024];
  int found = epoll_wait(epoll, events, 1024, 100);
  for (int i = 0; i < found; i++) {
    struct connection *connection = events[i].data.ptr;
    if (!connection->connected) {
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
    } else {
      if (events[i].events & EPOLLOUT) send_rest(connection, 1);
      if (events[i].events & ~EPOLLOUT) receive(connection);
    }
  }
}

static void run_for(double ms) {
  double start = wall_ns();
  while (wall_ns() - start < ms * 1e6) handle_events();
}

static double clock_ns(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t) < 0) fail("clock_gettime");
  return t.tv_sec * 1e9 + t.tv_nsec;
}

// Where the scheduler puts the two processes changes the cost of a message by half and more, so the
// client keeps the last processor, and leaves the others to the server's threads.
static void divide_processors(const char *server_pid) {
  cpu_set_t others, last;
  if (sched_getaffinity(0, sizeof others, &others) < 0) fail("sched_getaffinity");
  if (CPU_COUNT(&others) < 2) return;
  int cpu = CPU_SETSIZE - 1;
  while (!CPU_ISSET(cpu, &others)) cpu--;
  CPU_ZERO(&last);
  CPU_SET(cpu, &last);
  CPU_CLR(cpu, &others);
  if (sched_setaffinity(0, sizeof last, &last) < 0) fail("sched_setaffinity");
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/task", server_pid);
  DIR *threads = opendir(path);
  if (threads == NULL) fail(path);
  for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
    if (thread->d_name[0] != '.') sched_setaffinity(atoi(thread->d_name), sizeof others, &others);
  }
  closedir(threads);
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  alarm(TIMEOUT_S);
  raise_file_limit();
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server.sin_port = htons(atoi(argv[1]));
  count = atoi(argv[2]);
  size = atol(argv[3]);
  divide_processors(argv[6]);
  clockid_t server_clock; // The CPU time of all the server's threads.
  if (clock_getcpuclockid(atoi(argv[6]), &server_clock) != 0) fail("clock_getcpuclockid");
  connections = calloc(count, sizeof *connections);
  message = malloc(size);
  answer = malloc(size);
  for (size_t i = 0; i < size; i++) message[i] = i * 31 + i / 256;
  epoll = epoll_create1(EPOLL_CLOEXEC);

  while (connected < count) {
    while (started < count && started - connected < CONNECTING) start_connection();
    handle_events();
  }
  for (int i = 0; i < count; i++) send_message(&connections[i]);
  run_for(atof(argv[4]));

  messages = 0;
  double cpu = clock_ns(server_clock), own = cpu_ns(), wall = wall_ns();
  run_for(atof(argv[5]));
  wall = wall_ns() - wall;
  own = cpu_ns() - own;
  cpu = clock_ns(server_clock) - cpu;
  printf("{\"messages\": %ld, \"wall\": %.0f, \"cpu\": %.0f, \"load\": %.0f}\n", messages, wall, cpu,
         own);
}
