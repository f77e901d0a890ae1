// socket_calls OPERATION MILLISECONDS: sends and receives 64 bytes, over a pair of stream sockets
// or as a datagram with addresses; or receives from a socket that has nothing.
#define _GNU_SOURCE
#include "measure.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { SIZE = 64 };

static int near, far;
static struct sockaddr_in address;
static char data[SIZE], buffer[2 * SIZE];

static void expect(ssize_t size, ssize_t expected, const char *what) {
  if (size != expected) fail(what);
}

static void stream(long n) {
  while (n-- > 0) {
    expect(send(near, data, SIZE, MSG_NOSIGNAL), SIZE, "send");
    expect(recv(far, buffer, sizeof buffer, 0), SIZE, "recv");
  }
}

static void nothing(long n) {
  while (n-- > 0) {
    if (recv(far, buffer, sizeof buffer, 0) >= 0 || errno != EAGAIN) fail("recv");
  }
}

static void datagram(long n) {
  while (n-- > 0) {
    struct sockaddr_in source;
    socklen_t size = sizeof source;
    expect(sendto(near, data, SIZE, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address),
           SIZE, "sendto");
    expect(recvfrom(far, buffer, sizeof buffer, 0, (struct sockaddr *)&source, &size), SIZE,
           "recvfrom");
  }
}

static int datagram_socket(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  address = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, size) < 0) fail("bind");
  getsockname(fd, (struct sockaddr *)&address, &size);
  return fd;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  double ms = atof(argv[2]);
  if (strcmp(argv[1], "datagram") == 0) {
    near = datagram_socket();
    far = datagram_socket();
    measure(datagram, ms);
  } else {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0) fail("socketpair");
    near = pair[0];
    far = pair[1];
    measure(strcmp(argv[1], "stream") == 0 ? stream : nothing, ms);
  }
}
