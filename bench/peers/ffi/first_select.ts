// Opens libc, and waits once.
import { Epoll, libc, STRIDE } from "./libc.ts";

libc.epoll_wait(new Epoll().fd, new Int32Array(STRIDE), 1, 0);
