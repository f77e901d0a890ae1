"""An echo server over selectors.DefaultSelector: see ../c/echo.c."""

import selectors
import socket
import sys

from measure import raise_file_limit

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

raise_file_limit()
selector = selectors.DefaultSelector()
buffer = memoryview(bytearray(16 * 1024))
server = socket.socket()


def accept_all(_server):
    while True:
        try:
            connection, _ = server.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, READ, receive)


def receive(connection):
    try:
        size = connection.recv_into(buffer)
        if size == 0:
            return hang_up(connection)
        try:
            sent = connection.send(buffer[:size])
        except BlockingIOError:
            sent = 0
        if sent < size:
            hold(connection, bytes(buffer[sent:size]))
    except BlockingIOError:
        pass
    except OSError:
        hang_up(connection)


def hold(connection, unsent):
    """Keeps what the socket has no room for; reading stops until it is sent."""

    def send_rest(connection):
        nonlocal unsent
        try:
            unsent = unsent[connection.send(unsent) :]
        except BlockingIOError:
            return
        except OSError:
            return hang_up(connection)
        if not unsent:
            selector.modify(connection, READ, receive)

    selector.modify(connection, WRITE, send_rest)


def hang_up(connection):
    selector.unregister(connection)
    connection.close()


def main():
    server.bind(("127.0.0.1", 0))
    server.listen(4096)
    server.setblocking(False)
    selector.register(server, READ, accept_all)
    selector.register(sys.stdin, READ, lambda _: sys.exit())
    print(server.getsockname()[1], flush=True)
    select = selector.select
    while True:
        for key, _ in select():
            key.data(key.fileobj)


main()
