/** Does what systemd does: opens sockets, passes them from fd 3 on, and becomes the program. */
const ACTIVATE = `
import os, socket, sys
kinds, count, names, *command = sys.argv[1:]
sockets = []
for kind in kinds.split():
    if kind == "pair":
        pair = socket.socketpair(); s = pair[0]
        pair[1].send(b"pair"); pair[1].shutdown(socket.SHUT_WR)
    elif kind == "file":
        s = open("/dev/null", "rb", 0)
    else:
        types = dict(stream=socket.SOCK_STREAM, dgram=socket.SOCK_DGRAM)
        s = socket.socket(socket.AF_INET, types[kind])
        s.bind(("127.0.0.1", 0))
        if kind == "stream": s.listen()
    sockets.append(s)
high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(sockets)]
for i, fd in enumerate(high): os.dup2(fd, 3 + i, inheritable=True)
os.closerange(3 + len(high), 200)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=count or str(len(high)))
if names: os.environ["LISTEN_FDNAMES"] = names
os.execv(command[0], command)
`;

/** Starts a command as systemd does, with sockets of these kinds. */
export const through = (kinds: string, names = "", count = "") => (command: readonly string[]) => [
  "python3",
  "-c",
  ACTIVATE,
  kinds,
  count,
  names,
  ...command,
];
