"""An echo server over selectors.DefaultSelector: see ../c/datagrams.c."""

import selectors
import socket
import sys

buffer = memoryview(bytearray(65536))
server = socket.socket(type=socket.SOCK_DGRAM)


def echo():
    while True:
        try:
            size, address = server.recvfrom_into(buffer)
            server.sendto(buffer[:size], address)
        except BlockingIOError:
            return


def main():
    server.bind(("127.0.0.1", 0))
    server.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(server, selectors.EVENT_READ, echo)
    selector.register(sys.stdin, selectors.EVENT_READ, sys.exit)
    print(server.getsockname()[1], flush=True)
    while True:
        for key, _ in selector.select():
            key.data()


main()
