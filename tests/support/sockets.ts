import { assert, assertEquals } from "@std/assert";
import { EVENT_READ, EVENT_WRITE, SelectSelector } from "../../mod.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  createServer,
  type FileDescriptor,
  SO_LINGER,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type SocketAddress,
  SOL_SOCKET,
} from "../../ffi/socket/mod.ts";
import { DEADLINE } from "./deadline.ts";
import { isWindows } from "./os.ts";
import { linuxOnly, needs, type Skip, skipIf } from "./skip.ts";

/** Waits until a descriptor is readable. */
export function untilReadable(file: FileDescriptor): void {
  untilReady(file, EVENT_READ);
}

/** Waits until a descriptor is writable. */
export function untilWritable(file: FileDescriptor): void {
  untilReady(file, EVENT_WRITE);
}

function untilReady(file: FileDescriptor, events: number): void {
  using selector = new SelectSelector();
  selector.register(file, events);
  assertEquals(selector.select(DEADLINE).length, 1, `fd ${file.fileno()} is not ready`);
}

/** A kind of address to which sockets can be bound. */
export interface Place {
  /** Its name in test names. */
  readonly name: string;
  readonly family: number;
  /** Skips its tests on a machine without it. */
  readonly skip?: Skip;
  /** Returns an address that is not in use. */
  free(): SocketAddress;
}

let names = 0;

/** Returns an unused abstract path (Linux). */
export function abstractPath(): string {
  return `\0readiness-${Deno.pid}-${crypto.randomUUID()}-${names++}`;
}

/** Returns an unused path in a folder that is removed after the tests. */
export function filePath(): string {
  if (folder === undefined) {
    const temporary = folder = Deno.makeTempDirSync({ prefix: "sockets_" });
    addEventListener("unload", () => Deno.removeSync(temporary, { recursive: true }));
  }
  return `${folder}/${names++}`;
}

let folder: string | undefined;

/** Whether this machine has IPv6 on its loopback interface. */
const hasIpv6 = canBind({ hostname: "::1", port: 0 });

/** Skips a test where there is no IPv6. */
export const needsIpv6: Skip = needs("IPv6", hasIpv6);

/** Skips a test of Unix sockets on Windows, which has them for streams only. */
export const needsUnix: Skip = skipIf(
  isWindows,
  "Wine has no Unix sockets, and Windows none for datagrams",
);

/** Every kind of address. */
export const places: readonly Place[] = [
  {
    name: "IPv4",
    family: AF_INET,
    free: () => ({ hostname: "127.0.0.1", port: 0 }),
  },
  { name: "IPv6", family: AF_INET6, skip: needsIpv6, free: () => ({ hostname: "::1", port: 0 }) },
  { name: "Unix", family: AF_UNIX, skip: needsUnix, free: () => ({ path: filePath() }) },
  {
    name: "abstract Unix",
    family: AF_UNIX,
    skip: linuxOnly,
    free: () => ({ path: abstractPath() }),
  },
];

function canBind(address: SocketAddress): boolean {
  using socket = new Socket(AF_INET6, SOCK_STREAM);
  try {
    socket.bind(address);
    return true;
  } catch {
    return false;
  }
}

/** Opens a listening socket. */
export function listener(place: Place = places[0]!, backlog?: number): Socket {
  const socket = new Socket(place.family, SOCK_STREAM);
  socket.bind(place.free());
  socket.listen(backlog);
  return socket;
}

/** Opens a bound datagram socket. */
export function datagrams(place: Place = places[0]!): Socket {
  const socket = new Socket(place.family, SOCK_DGRAM);
  socket.bind(place.free());
  return socket;
}

/** Opens a bound socket at which nothing arrives, so that its port is closed and stays so. */
export function deaf(type: number = SOCK_STREAM, place: Place = places[0]!): Socket {
  const socket = new Socket(place.family, type);
  socket.bind(place.free());
  if (type === SOCK_DGRAM) socket.connect(socket.localAddress); // It hears only itself.
  return socket;
}

/** Returns a port outside the ranges from which systems choose one for port 0. */
export function unusedPort(): number {
  return 20_000 + Math.trunc(Math.random() * 10_000);
}

/**
 * Listens at an address that was in use. A program that is being started has a copy of a closed
 * listener for a moment, which is far shorter than the rest of a connection's port (a minute).
 */
export async function listenAgain(address: SocketAddress): Promise<void> {
  for (const end = performance.now() + 20_000;;) {
    try {
      return createServer(address).close();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits for a connection and accepts it. */
export function acceptFrom<A extends SocketAddress>(server: Socket<A>): Socket<A> {
  untilReadable(server);
  const socket = server.accept();
  assert(socket !== null);
  return socket;
}

/** A connection over loopback, closed at the end of a `using` block. */
export class Connection implements Disposable {
  readonly listener: Socket;
  readonly client: Socket;
  readonly server: Socket;

  constructor(place: Place = places[0]!) {
    this.listener = listener(place);
    this.client = new Socket(place.family, SOCK_STREAM);
    if (!this.client.connect(this.listener.localAddress)) untilWritable(this.client);
    assertEquals(this.client.error(), null);
    this.server = acceptFrom(this.listener);
  }

  [Symbol.dispose](): void {
    this.client.close();
    this.server.close();
    this.listener.close();
  }
}

/** Closes a socket and resets the connection of its peer. */
export function reset(socket: Socket): void {
  const linger = new Uint8Array(new Int32Array([1, 0]).buffer);
  socket.setOption(SOL_SOCKET, SO_LINGER, linger);
  socket.close();
}

/** Reads until the buffer is full or the stream ends, and returns the number of bytes. */
export function readFully(file: FileDescriptor, buffer: Uint8Array): number {
  let filled = 0;
  while (filled < buffer.length) {
    const size = file.read(buffer.subarray(filled));
    if (size === 0) break;
    if (size === null) untilReadable(file);
    else filled += size;
  }
  return filled;
}

/** Returns pseudo-random bytes. */
export function noise(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = seed >>> 24;
  }
  return bytes;
}

/** Writes bytes in pieces of many sizes, and reads them in others, to the end of the stream. */
export function transfer(
  bytes: Uint8Array,
  from: FileDescriptor,
  to: FileDescriptor,
  end: () => void,
): Uint8Array {
  const received = new Uint8Array(bytes.length + 1);
  let sent = 0;
  let size = 0;
  for (let turn = 1;; turn++) {
    if (sent < bytes.length) {
      const written = from.write(bytes.subarray(sent, sent + 1 + turn * 7919 % 100_003));
      sent += written ?? 0;
      if (sent === bytes.length) end();
    }
    const read = to.read(received.subarray(size, size + 1 + turn * 104_729 % 90_001));
    if (read === 0) return received.subarray(0, size);
    if (read !== null) size += read;
    else if (sent === bytes.length) untilReadable(to);
  }
}

/** Asserts that bytes are equal, with a short message. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length);
  const at = actual.findIndex((byte, i) => byte !== expected[i]);
  assertEquals(at, -1, `byte ${at} differs`);
}
