"""socket_calls OPERATION MILLISECONDS: see ../c/socket_calls.c."""

import itertools
import socket
import sys

from measure import measure

DATA = bytes(64)


def main(operation, ms):
    buffer = bytearray(128)
    if operation == "datagram":
        near, far = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
        far.bind(("127.0.0.1", 0))
        address = far.getsockname()
    else:
        near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)

    def stream(n):
        send, recv_into = near.send, far.recv_into
        for _ in itertools.repeat(None, n):
            send(DATA)
            recv_into(buffer)

    def nothing(n):
        recv_into = far.recv_into
        for _ in itertools.repeat(None, n):
            try:
                recv_into(buffer)
            except BlockingIOError:
                pass

    def datagram(n):
        sendto, recvfrom_into = near.sendto, far.recvfrom_into
        for _ in itertools.repeat(None, n):
            sendto(DATA, address)
            recvfrom_into(buffer)

    measure({"stream": stream, "nothing": nothing, "datagram": datagram}[operation], float(ms))


main(*sys.argv[1:])
