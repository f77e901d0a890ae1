import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import {
  AF_INET,
  type InternetAddress,
  IPPROTO_TCP,
  SOCK_STREAM,
  Socket,
  TCP_NODELAY,
} from "../../../ffi/socket/mod.ts";

/** Begins to connect to a server on loopback; the server accepts later. */
export function connectTo(address: InternetAddress): Socket {
  const socket = new Socket(AF_INET, SOCK_STREAM);
  socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
  socket.connect(address);
  return socket;
}

/** Creates two TCP sockets that are connected to each other. */
export function connectedSockets(): [near: Socket, far: Socket] {
  using server = new Socket(AF_INET, SOCK_STREAM);
  server.bind({ hostname: "127.0.0.1", port: 0 });
  server.listen();
  const far = connectTo(server.localAddress as InternetAddress);
  using selector = new DefaultSelector();
  selector.register(server, EVENT_READ);
  selector.select();
  const near = server.accept()!;
  near.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
  return [near, far];
}
