"""registration OPERATION MILLISECONDS: see ../c/registration.c."""

import itertools
import selectors
import socket
import sys

from measure import measure

READ = selectors.EVENT_READ
BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE


def main(name, ms):
    selector = selectors.EpollSelector()
    left, _right = socket.socketpair()

    def register_and_unregister(n):
        register, unregister = selector.register, selector.unregister
        for _ in itertools.repeat(None, n):
            register(left, READ)
            unregister(left)

    def modify_events(n):
        modify = selector.modify
        for i in range(n):
            modify(left, BOTH if i & 1 else READ)

    def modify_data(n):
        modify = selector.modify
        for i in range(n):
            modify(left, READ, i)

    if name == "register":
        measure(register_and_unregister, float(ms))
    else:
        selector.register(left, READ)
        measure(modify_events if name == "events" else modify_data, float(ms))


main(*sys.argv[1:])
