/**
 * Mistakes that a user's program may make. Each is on the line after `@ts-expect-error`, so that
 * `deno task check` fails if one of them compiles. Nothing runs this file.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, whenReadable } from "@readiness/selectors";
import { FileDescriptor, pipe } from "@readiness/selectors/fd";
import {
  AF_INET,
  createConnection,
  createServer,
  type InternetAddress,
  type PacketAddress,
  resolve,
  sendFile,
  SOCK_STREAM,
  Socket,
  socketpair,
  type UnixAddress,
} from "@readiness/selectors/socket";

const [left, right] = socketpair();
const { reader, writer } = pipe();
const buffer = new Uint8Array(1024);

// A key without the data that the selector's type promises.
{
  using selector = new DefaultSelector<string>();
  // @ts-expect-error: the data is missing
  selector.register(left, EVENT_READ);
  // @ts-expect-error: the data is not a string
  selector.register(left, EVENT_READ, 5);
  // @ts-expect-error: the data is missing
  selector.modify(left, EVENT_READ);
  const key = selector.register(left, EVENT_READ, "left");
  // @ts-expect-error: the data is a string
  const data: number = key.data;
  using sockets = new DefaultSelector<string, Socket>();
  // @ts-expect-error: the file is not a socket
  sockets.register(reader, EVENT_READ, "reader");
  // These compile: undefined can be left out.
  using plain = new DefaultSelector();
  plain.register(left, EVENT_READ);
  using optional = new DefaultSelector<string | undefined>();
  optional.register(left, EVENT_READ);
  optional.unregister(left.fileno());
  console.log(data);
}

// null, where a call can do nothing now.
{
  // @ts-expect-error: there may be nothing to receive
  buffer.subarray(0, left.recv(buffer));
  // @ts-expect-error: there may be nothing to read
  buffer.subarray(0, reader.read(buffer));
  // @ts-expect-error: there may be no room
  const sent: number = right.send(buffer);
  // @ts-expect-error: there may be no room
  const written: number = writer.write(buffer);
  // @ts-expect-error: there may be no room
  const copied: number = sendFile(left, reader, 0, 10);
  // @ts-expect-error: there may be no datagram
  console.log(left.recvFrom(buffer).size);
  // @ts-expect-error: there may be no connection
  left.accept().close();
  // These compile: the promise resolves with what is not null.
  buffer.subarray(0, await whenReadable(left, () => left.recv(buffer)));
  (await whenReadable(left, () => left.accept())).close();
  console.log(sent, written, copied);
}

// Addresses of another kind.
{
  using internet = createServer({ hostname: "127.0.0.1", port: 0 });
  using unix = createServer({ path: "/tmp/socket" });
  // @ts-expect-error: a Unix address has no port
  console.log(unix.localAddress.port);
  // @ts-expect-error: an internet address has no path
  console.log(internet.localAddress.path);
  using client = await createConnection(unix.localAddress);
  // @ts-expect-error: a Unix address has no hostname
  console.log(client.remoteAddress.hostname);
  // @ts-expect-error: a path is not an address of an internet socket
  internet.bind({ path: "/tmp/socket" });
  using any = new Socket(AF_INET, SOCK_STREAM);
  // @ts-expect-error: an address of any kind may have no port
  console.log(any.localAddress.port);
  using packets = new Socket<PacketAddress>(AF_INET, SOCK_STREAM);
  // @ts-expect-error: a packet socket has no hostnames
  packets.bind({ hostname: "127.0.0.1", port: 0 });
  // @ts-expect-error: an address needs a port
  createServer({ hostname: "127.0.0.1" });
  // @ts-expect-error: the port is a number
  createServer({ hostname: "127.0.0.1", port: "80" });
  // @ts-expect-error: there is no such option
  createServer({ hostname: "127.0.0.1", port: 0 }, { reuseport: true });
  // @ts-expect-error: a name is resolved asynchronously
  console.log(resolve("localhost").length);
  // These compile.
  const port: number = internet.localAddress.port;
  const path: string = client.remoteAddress.path;
  const internetSocket: Socket<InternetAddress> = internet;
  const unixSocket: Socket<UnixAddress> = unix;
  const socket: Socket = internet;
  const connection: Socket<InternetAddress> | null = internet.accept();
  internet.connect({ family: AF_INET, bytes: new Uint8Array(14) });
  console.log(port, path, internetSocket, unixSocket, socket, connection);
}

// Descriptors.
{
  // @ts-expect-error: a descriptor is a number
  new FileDescriptor("0");
  // @ts-expect-error: it has no such direction
  left.shutdown("both ways");
}
