"""dispatch BACKEND REGISTERED READY MILLISECONDS: see ../c/dispatch.c."""

import itertools
import selectors
import socket
import sys

from measure import measure, raise_file_limit

BACKENDS = {
    "epoll": selectors.EpollSelector,
    "poll": selectors.PollSelector,
    "select": selectors.SelectSelector,
}


def main(backend, registered, ready, ms):
    registered, ready = int(registered), int(ready)
    raise_file_limit()
    selector = BACKENDS[backend]()
    sockets = [end for _ in range(0, registered, 2) for end in socket.socketpair()]
    for sock in sockets:
        sock.setblocking(False)
    for sock in sockets[:registered]:
        selector.register(sock, selectors.EVENT_READ)
    # The other end of each pair makes it ready.
    for i in range(registered - ready, registered):
        sockets[i ^ 1].send(b"x")

    def work(n):
        select = selector.select
        for _ in itertools.repeat(None, n):
            found = len(select(0))
            if found != ready:
                raise SystemExit(f"{found} ready instead of {ready}")

    measure(work, float(ms))


main(*sys.argv[1:])
