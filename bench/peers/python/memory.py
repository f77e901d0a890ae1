"""memory BACKEND REGISTERED: prints the process's memory per registration."""

import gc
import json
import selectors
import socket
import sys
import tracemalloc

from measure import raise_file_limit

BACKENDS = {"epoll": selectors.EpollSelector, "poll": selectors.PollSelector}


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def main(backend, registered):
    raise_file_limit()
    pairs = [socket.socketpair() for _ in range(int(registered) // 2)]
    fds = [end.fileno() for pair in pairs for end in pair]
    selector = BACKENDS[backend]()
    # Tracing takes memory itself, so the resident memory is measured without it.
    gc.collect()
    before = resident()
    fill(selector, fds)
    rss = resident() - before
    selector.close()

    selector = BACKENDS[backend]()
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    fill(selector, fds)
    heap = tracemalloc.get_traced_memory()[0] - before
    print(json.dumps({"heap": heap / len(fds), "rss": rss / len(fds)}))


def fill(selector, fds):
    for fd in fds:
        selector.register(fd, selectors.EVENT_READ)
    selector.select(0)
    gc.collect()


main(*sys.argv[1:])
