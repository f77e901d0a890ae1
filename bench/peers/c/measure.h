// Every peer measures itself this way: it warms up for the given time, then measures for as long.
#ifndef MEASURE_H
#define MEASURE_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static inline void fail(const char *what) {
  perror(what);
  exit(1);
}

static inline double wall_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

// The CPU time of the whole process, user and system.
static inline double cpu_ns(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
         (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

static inline void raise_file_limit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

#ifdef THREADED
// In a process with several threads the kernel counts references to each file that a call touches.
// Deno always has threads; this shows what the counting costs C.
static void *idle(void *unused) {
  for (;;) pause();
  return unused;
}

__attribute__((constructor)) static void start_idle_thread(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, idle, NULL) != 0) fail("pthread_create");
}
#endif

// Measures work(n), which does an operation n times, and prints nanoseconds per operation.
static inline void measure(void (*work)(long), double ms) {
  long n = 1;
  double start = wall_ns();
  while (wall_ns() - start < ms * 1e6) {
    double before = wall_ns();
    work(n);
    if (wall_ns() - before < 2e6) n *= 2; // Chunks of a few milliseconds.
  }
  long times = 0;
  double cpu = cpu_ns(), wall = wall_ns();
  do {
    work(n);
    times += n;
  } while (wall_ns() - wall < ms * 1e6);
  wall = wall_ns() - wall;
  cpu = cpu_ns() - cpu;
  printf("{\"cpu\": %.3f, \"wall\": %.3f}\n", cpu / times, wall / times);
}

#endif
