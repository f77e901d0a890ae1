// An echo server.
#define _GNU_SOURCE
#include "server.h"

static size_t answer(struct connection *connection, size_t size, const char **output) {
  (void)connection;
  *output = buffer;
  return size;
}
