// What the clients share: the division of processors, and the measurement of a server.
#ifndef CLIENT_H
#define CLIENT_H

#include "../peers/c/measure.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { TIMEOUT_S = 60 };

static struct sockaddr_in server = {.sin_family = AF_INET};
static int epoll;
static long answers;

static void handle_events(void);

static int last_of(const cpu_set_t *cpus) {
  int cpu = CPU_SETSIZE - 1;
  while (!CPU_ISSET(cpu, cpus)) cpu--;
  return cpu;
}

// Where the scheduler puts the two processes changes the cost of a message by half and more, so the
// client keeps the last processor, and all of the server's threads get the one before it.
static void divide_processors(const char *server_pid) {
  cpu_set_t all, own, servers;
  if (sched_getaffinity(0, sizeof all, &all) < 0) fail("sched_getaffinity");
  if (CPU_COUNT(&all) < 2) return;
  CPU_ZERO(&own);
  CPU_SET(last_of(&all), &own);
  CPU_CLR(last_of(&all), &all);
  CPU_ZERO(&servers);
  CPU_SET(last_of(&all), &servers);
  if (sched_setaffinity(0, sizeof own, &own) < 0) fail("sched_setaffinity");
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/task", server_pid);
  DIR *threads = opendir(path);
  if (threads == NULL) fail(path);
  for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
    if (thread->d_name[0] == '.') continue;
    sched_setaffinity(atoi(thread->d_name), sizeof servers, &servers);
  }
  closedir(threads);
}

static void start_client(const char *port, const char *server_pid) {
  alarm(TIMEOUT_S);
  raise_file_limit();
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server.sin_port = htons(atoi(port));
  divide_processors(server_pid);
  epoll = epoll_create1(EPOLL_CLOEXEC);
}

static double clock_ns(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t) < 0) fail("clock_gettime");
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void run_for(double ms) {
  double start = wall_ns();
  while (wall_ns() - start < ms * 1e6) handle_events();
}

// Prints the number of answers within the window, its length, and the CPU time of the server's
// process and of this one, in nanoseconds.
static void measure_server(double warm_up_ms, double window_ms, const char *server_pid) {
  clockid_t server_clock;
  if (clock_getcpuclockid(atoi(server_pid), &server_clock) != 0) fail("clock_getcpuclockid");
  run_for(warm_up_ms);
  answers = 0;
  double cpu = clock_ns(server_clock), own = cpu_ns(), wall = wall_ns();
  run_for(window_ms);
  wall = wall_ns() - wall;
  own = cpu_ns() - own;
  cpu = clock_ns(server_clock) - cpu;
  printf("{\"answers\": %ld, \"wall\": %.0f, \"cpu\": %.0f, \"client\": %.0f}\n", answers, wall,
         cpu, own);
}

#endif
