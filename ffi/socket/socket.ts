import { abi } from "../abi/host.ts";
import { errnoOf, makeNonBlockingAndCloseOnExec, makePair, nameOf } from "../descriptor.ts";
import { platform } from "../platform/mod.ts";
import { lastErrno, OSError } from "../errno.ts";
import {
  ADDRESS_SIZE,
  decodeAddress,
  describe,
  encodeAddress,
  familyOf,
  type SocketAddress,
} from "./address.ts";
import { FileDescriptor, isInterrupted, transferLength } from "../fd/file_descriptor.ts";
import type { PacketAddress } from "./packet.ts";
import { privilegeFor } from "./privilege.ts";

const {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_UNSPEC,
  MSG_NOSIGNAL,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_ERROR,
  SO_NOSIGPIPE,
  SO_TYPE,
} = abi.constants;
const {
  EACCES,
  EAGAIN,
  EALREADY,
  ECONNABORTED,
  ECONNRESET,
  EINTR,
  EINVAL,
  ENOTCONN,
  EPERM,
  EPROTO,
  EWOULDBLOCK,
} = abi.errno;
const { connectPendingErrno, newSocketFlags } = platform;

const calls = platform.adaptSocketCalls(platform.openCalls({
  socket: { name: abi.symbols.socket, parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32", optional: true },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvfrom: { parameters: ["i32", "buffer", "u32", "i32", "buffer", "buffer"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "u32", "i32", "buffer", "u32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
}));

/** Keeps a broken connection from ending the process, where it is a flag of each `send`. */
const NO_SIGNAL = MSG_NOSIGNAL ?? 0;

/** The error that each socket has told, where the system does not forget it. */
const told = new WeakMap<AnySocket, number>();

const DIRECTIONS = { read: SHUT_RD, write: SHUT_WR, both: SHUT_RDWR };

/**
 * A socket, non-blocking and close-on-exec from birth, whose calls are the system's own.
 *
 * @example A server and a client on loopback
 * ```ts
 * import { DefaultSelector, EVENT_READ, EVENT_WRITE } from "@readiness/selectors";
 * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
 * import { assertEquals } from "@std/assert";
 *
 * using server = new Socket(AF_INET, SOCK_STREAM);
 * server.bind({ hostname: "127.0.0.1", port: 0 });
 * server.listen();
 *
 * using client = new Socket(AF_INET, SOCK_STREAM);
 * using selector = new DefaultSelector();
 * if (!client.connect(server.localAddress)) {
 *   selector.register(client, EVENT_WRITE);
 *   selector.select();
 * }
 * assertEquals(client.error(), null);
 *
 * selector.register(server, EVENT_READ);
 * selector.select();
 * using connection = server.accept()!;
 * assertEquals(connection.remoteAddress, client.localAddress);
 * ```
 *
 * @example An ICMP socket for datagrams, which the group that may ping has without a privilege
 * ```ts
 * import { AF_INET, IPPROTO_ICMP, OSError, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
 *
 * try {
 *   using socket = new Socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
 *   socket.sendTo(new Uint8Array([8, 0, 0, 0, 0, 0, 0, 1]), { hostname: "127.0.0.1", port: 0 });
 * } catch (error) {
 *   if (!(error instanceof OSError)) throw error;
 *   console.log(error.message); // It says which privilege is missing, and how to get it.
 * }
 * ```
 *
 * @typeParam Address What its addresses are: `PacketAddress` of packet sockets (Linux)
 */
export class Socket<Address extends SocketAddress | PacketAddress = SocketAddress>
  extends FileDescriptor {
  /**
   * Makes a socket.
   *
   * @param family The address family: `AF_INET`, `AF_INET6`, `AF_UNIX`, …
   * @param type The socket type: `SOCK_STREAM`, `SOCK_DGRAM`, …
   * @param protocol The protocol, such as `IPPROTO_ICMP`; 0 is the type's usual one. For a packet
   * socket leave it 0, and let `bind` choose it together with the interface
   * @throws {RangeError} If one of them is no 32-bit integer
   * @throws {OSError} If the system refuses (`socket`), such as with `EAFNOSUPPORT`, or with `EPERM`
   * or `EACCES` for want of a privilege, which the message names: raw and packet sockets take
   * `CAP_NET_RAW` on Linux and root elsewhere, ICMP ones for datagrams a group on Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor(family: number, type: number, protocol: number = 0) {
    super(openSocket(family, type, protocol));
  }

  /**
   * Adopts an open socket, as it is: blocking or not.
   *
   * @param fd Its descriptor, an integer from 0 to 2³¹ − 1
   * @returns The socket
   * @throws {TypeError} If it is not a number
   * @throws {RangeError} If it is negative, fractional or too large
   * @throws {OSError} If it is not open (`EBADF`; on Windows `ENOTSOCK`) or not a socket (`ENOTSOCK`)
   *
   * @example
   * ```ts
   * import { Socket, socketpair } from "@readiness/selectors/socket";
   *
   * const [left, right] = socketpair();
   * using adopted = Socket.fromFd(left.detach());
   * right.close();
   * ```
   */
  static fromFd(fd: number): Socket {
    const socket = adopt(fd);
    integerOption(socket, SOL_SOCKET, SO_TYPE, "make a socket of"); // What is none refuses it.
    keepSignalsAway(fd);
    return socket;
  }

  /**
   * Gives the socket an address.
   *
   * @param address The address; a name goes to the system's resolver, which blocks
   * @throws {TypeError} If it is no address, or of another family than the socket
   * @throws {RangeError} If the port or the length of the path is out of range
   * @throws {OSError} If the system refuses (`bind`), such as with `EADDRINUSE` or `EACCES`, or the
   * name cannot be resolved (`getaddrinfo`)
   *
   * @example A Unix socket
   * ```ts
   * import { AF_UNIX, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
   *
   * if (Deno.build.os !== "windows") {
   *   const path = await Deno.makeTempDir() + "/socket";
   *   using socket = new Socket(AF_UNIX, SOCK_DGRAM);
   *   socket.bind({ path });
   * }
   * ```
   */
  bind(address: Address): void {
    const bytes = encodeFor(this, address, "bind an address to", "bind");
    if (calls().bind(this.fileno(), bytes, bytes.length) < 0) {
      throw failure(this, `bind ${describe(address)} to`, "bind");
    }
  }

  /**
   * Begins to take connections in.
   *
   * @param backlog How many connections may wait to be accepted, 0 or more; left out, as many as
   * the system allows
   * @throws {RangeError} If the backlog is negative or no integer
   * @throws {OSError} If the system refuses (`listen`), such as with `EOPNOTSUPP`
   *
   * @example
   * ```ts
   * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
   *
   * using server = new Socket(AF_INET, SOCK_STREAM);
   * server.bind({ hostname: "127.0.0.1", port: 0 });
   * server.listen(16);
   * ```
   */
  listen(backlog: number = SOMAXCONN): void {
    assertInteger("a backlog", backlog, 0);
    if (calls().listen(this.fileno(), backlog) < 0) throw failure(this, "listen on", "listen");
  }

  /**
   * Accepts a connection that waits. One that was reset meanwhile is passed over.
   *
   * @returns The connection, non-blocking and close-on-exec, or `null` if none waits
   * @throws {OSError} If the system refuses (`accept4` or `accept`), such as with `EMFILE`
   *
   * @example
   * ```ts
   * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using server = new Socket(AF_INET, SOCK_STREAM);
   * server.bind({ hostname: "127.0.0.1", port: 0 });
   * server.listen();
   * assertEquals(server.accept(), null);
   * ```
   */
  accept(): Socket<Address> | null {
    const { accept, accept4 } = calls();
    const atOnce = accept4 !== null && newSocketFlags !== 0;
    for (;;) {
      const fd = atOnce
        ? accept4(this.fileno(), null, null, newSocketFlags)
        : accept(this.fileno(), null, null);
      if (fd >= 0) {
        if (!atOnce) makeNonBlockingAndCloseOnExec(fd);
        keepSignalsAway(fd);
        return adopt(fd) as Socket<Address>;
      }
      const errno = lastErrno();
      if (errno === EAGAIN || errno === EWOULDBLOCK) return null;
      if (
        errno !== EINTR && errno !== ECONNABORTED && errno !== ECONNRESET && errno !== EPROTO
      ) {
        throw failure(this, "accept from", atOnce ? "accept4" : "accept", errno);
      }
    }
  }

  /**
   * Begins to connect. When the connection is in progress, the socket becomes writable once that
   * is done, and {@linkcode Socket.error} tells how it went.
   *
   * @param address The peer's address; a name goes to the system's resolver, which blocks
   * @returns Whether the socket is connected already
   * @throws {TypeError} If it is no address, or of another family than the socket
   * @throws {RangeError} If the port or the length of the path is out of range
   * @throws {OSError} If the system refuses (`connect`), such as with `ECONNREFUSED`, or the name
   * cannot be resolved (`getaddrinfo`)
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_WRITE } from "@readiness/selectors";
   * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
   *
   * using server = new Socket(AF_INET, SOCK_STREAM);
   * server.bind({ hostname: "127.0.0.1", port: 0 });
   * server.listen();
   * using client = new Socket(AF_INET, SOCK_STREAM);
   * if (!client.connect(server.localAddress)) {
   *   using selector = new DefaultSelector();
   *   selector.register(client, EVENT_WRITE);
   *   selector.select();
   *   const error = client.error();
   *   if (error !== null) throw error;
   * }
   * ```
   */
  connect(address: Address): boolean {
    const bytes = encodeFor(this, address, "connect from", "connect");
    told.delete(this);
    if (calls().connect(this.fileno(), bytes, bytes.length) === 0) return true;
    const errno = lastErrno();
    // A signal does not end the attempt.
    if (errno === connectPendingErrno || errno === EALREADY || errno === EINTR) return false;
    throw failure(this, `connect to ${describe(address)} from`, "connect", errno);
  }

  /**
   * Takes the socket's pending error, which is none afterwards.
   *
   * @returns The error, or `null` if there is none
   * @throws {OSError} If the system refuses (`getsockopt`), such as with `EBADF`
   *
   * @example
   * ```ts
   * import { DefaultSelector, EVENT_WRITE } from "@readiness/selectors";
   * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using client = new Socket(AF_INET, SOCK_STREAM);
   * using selector = new DefaultSelector();
   * client.connect({ hostname: "127.0.0.1", port: 1 }); // Nobody listens there.
   * selector.register(client, EVENT_WRITE);
   * selector.select();
   * assertEquals(client.error()?.code, "ECONNREFUSED");
   * assertEquals(client.error(), null);
   * ```
   */
  error(): OSError | null {
    const errno = integerOption(this, SOL_SOCKET, SO_ERROR, "tell the error of");
    if (errno === 0 || told.get(this) === errno) {
      if (errno === 0) told.delete(this);
      return null;
    }
    if (platform.keepsSocketError) told.set(this, errno);
    return new OSError(`The socket ${nameOf(this.fileno())} has failed`, "getsockopt", errno);
  }

  /**
   * Receives, as {@linkcode FileDescriptor.read} reads.
   *
   * 0 is the end of the stream, as in POSIX; Deno's own `read` returns `null` there.
   *
   * @param buffer Where the bytes go, as many as fit
   * @param flags `MSG_PEEK` and others, ORed
   * @returns The number of bytes received, 0 at the end of the stream, or `null` if there is nothing
   * to receive now
   * @throws {TypeError} If `buffer` is no `Uint8Array`
   * @throws {RangeError} If `flags` is no 32-bit integer
   * @throws {OSError} If the system refuses (`recv`), such as with `ECONNRESET`
   *
   * @example
   * ```ts
   * import { MSG_PEEK, socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const [left, right] = socketpair();
   * left.send(new Uint8Array(3));
   * assertEquals(right.recv(new Uint8Array(10), MSG_PEEK), 3);
   * assertEquals(right.recv(new Uint8Array(10)), 3);
   * left.close();
   * right.close();
   * ```
   */
  recv(buffer: Uint8Array, flags: number = 0): number | null {
    const length = transferLength(buffer);
    assertFlags(flags);
    for (;;) {
      const size = calls().recv(this.fileno(), buffer, length, flags);
      if (size >= 0) return size;
      if (!isInterrupted("receive from", this, "recv")) return null;
    }
  }

  /**
   * Sends, as {@linkcode FileDescriptor.write} writes. A broken connection is an error, never a
   * SIGPIPE.
   *
   * @param data The bytes, of which as many are taken as there is room for
   * @param flags `MSG_OOB` and others, ORed
   * @returns The number of bytes sent, or `null` if there is no room now
   * @throws {TypeError} If `data` is no `Uint8Array`
   * @throws {RangeError} If `flags` is no 32-bit integer
   * @throws {OSError} If the system refuses (`send`), such as with `EPIPE` or `ENOTCONN`
   *
   * @example
   * ```ts
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const [left, right] = socketpair();
   * assertEquals(left.send(new TextEncoder().encode("hi")), 2);
   * left.close();
   * right.close();
   * ```
   */
  send(data: Uint8Array, flags: number = 0): number | null {
    const length = transferLength(data);
    assertFlags(flags);
    for (;;) {
      const size = calls().send(this.fileno(), data, length, flags | NO_SIGNAL);
      if (size >= 0) return size;
      if (!isInterrupted("send to", this, "send")) return null;
    }
  }

  /** Receives with `read`'s signature: {@linkcode Socket.recv} without flags. */
  override read(buffer: Uint8Array): number | null {
    return this.recv(buffer);
  }

  /** Sends with `write`'s signature: {@linkcode Socket.send} without flags. */
  override write(data: Uint8Array): number | null {
    return this.send(data);
  }

  /**
   * Receives a datagram, and tells whose it is. Of a stream it receives what is there; the address
   * is that of the peer, or `0.0.0.0` or `::` with port 0 once the connection is over.
   *
   * A datagram that is larger than the buffer is cut, which `size` does not tell by itself. With
   * `MSG_TRUNC` Linux tells the whole size, so that one above the buffer's says it; everywhere
   * {@linkcode receiveMessage} says it.
   *
   * @param buffer Where the bytes go; what does not fit is lost
   * @param flags `MSG_PEEK`, `MSG_TRUNC` and others, ORed; on a stream `MSG_TRUNC` drops the bytes
   * @returns The size and the sender's address, or `null` if none waits
   * @throws {TypeError} If `buffer` is no `Uint8Array`
   * @throws {RangeError} If `flags` is no 32-bit integer
   * @throws {OSError} If the system refuses (`recvfrom`), such as with `ECONNREFUSED`
   * @throws {Deno.errors.NotSupported} If the sender's family is none of IPv4, IPv6, Unix and, on
   * Linux, packets; the datagram is lost, so receive such ones with {@linkcode Socket.recv}
   *
   * @example
   * ```ts
   * import { AF_INET, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * using left = new Socket(AF_INET, SOCK_DGRAM);
   * using right = new Socket(AF_INET, SOCK_DGRAM);
   * left.bind({ hostname: "127.0.0.1", port: 0 });
   * right.bind({ hostname: "127.0.0.1", port: 0 });
   * left.sendTo(new Uint8Array(3), right.localAddress);
   * assertEquals(right.recvFrom(new Uint8Array(10)), { size: 3, address: left.localAddress });
   * ```
   */
  recvFrom(
    buffer: Uint8Array,
    flags: number = 0,
  ): { size: number; address: Address } | null {
    const length = transferLength(buffer);
    assertFlags(flags);
    const room = new Uint8Array(ADDRESS_SIZE);
    const roomSize = new Uint32Array([ADDRESS_SIZE]);
    for (;;) {
      const size = calls().recvfrom(this.fileno(), buffer, length, flags, room, roomSize);
      if (size >= 0) return { size, address: senderOf(this, room, roomSize[0]) as Address };
      if (!isInterrupted("receive from", this, "recvfrom")) return null;
    }
  }

  /**
   * Sends a datagram to an address.
   *
   * @param data The datagram
   * @param address The receiver's address; a name goes to the system's resolver, which blocks
   * @param flags `MSG_DONTROUTE` and others, ORed
   * @returns The number of bytes sent, or `null` if there is no room now
   * @throws {TypeError} If `data` is no `Uint8Array`, or the address is of another family
   * @throws {RangeError} If the port or the length of the path is out of range, or `flags` is no
   * 32-bit integer
   * @throws {OSError} If the system refuses (`sendto`), such as with `EMSGSIZE`
   *
   * @example
   * ```ts
   * import { AF_INET6, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
   *
   * using receiver = new Socket(AF_INET6, SOCK_DGRAM);
   * receiver.bind({ hostname: "::1", port: 0 });
   * using sender = new Socket(AF_INET6, SOCK_DGRAM);
   * sender.sendTo(new TextEncoder().encode("hi"), receiver.localAddress);
   * ```
   */
  sendTo(data: Uint8Array, address: Address, flags: number = 0): number | null {
    const length = transferLength(data);
    assertFlags(flags);
    const bytes = encodeFor(this, address, "send to an address from", "sendto");
    for (;;) {
      const size = calls().sendto(
        this.fileno(),
        data,
        length,
        flags | NO_SIGNAL,
        bytes,
        bytes.length,
      );
      if (size >= 0) return size;
      if (!isInterrupted(`send to ${describe(address)} from`, this, "sendto")) return null;
    }
  }

  /**
   * Ends one direction of the connection, or both. What is received after that of `"read"` is the end
   * of the stream; on Windows receiving throws `OSError` (`ESHUTDOWN`).
   *
   * @param how Which: after `"write"` the peer reads the end of the stream
   * @throws {TypeError} If `how` is none of the three
   * @throws {OSError} If the system refuses (`shutdown`), such as with `ENOTCONN`
   *
   * @example
   * ```ts
   * import { socketpair } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const [left, right] = socketpair();
   * left.shutdown("write");
   * assertEquals(right.recv(new Uint8Array(1)), 0);
   * left.close();
   * right.close();
   * ```
   */
  shutdown(how: "read" | "write" | "both"): void {
    if (!Object.hasOwn(DIRECTIONS, how)) {
      throw new TypeError(
        `Cannot shut down ${nameOf(this.fileno())}: say "read", "write" or "both", received ${
          String(how)
        }`,
      );
    }
    if (calls().shutdown(this.fileno(), DIRECTIONS[how]) < 0) {
      throw failure(this, "shut down", "shutdown");
    }
  }

  /**
   * Reads an option that is an integer.
   *
   * @param level Whose option it is: `SOL_SOCKET`, `IPPROTO_TCP`, …
   * @param name The option: `SO_RCVBUF`, `TCP_NODELAY`, …
   * @returns Its value
   * @throws {RangeError} If level or name is no 32-bit integer
   * @throws {OSError} If the system refuses (`getsockopt`), such as with `ENOPROTOOPT`
   *
   * @example
   * ```ts
   * import { SO_TYPE, SOCK_STREAM, socketpair, SOL_SOCKET } from "@readiness/selectors/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const [left, right] = socketpair();
   * assertEquals(left.getOption(SOL_SOCKET, SO_TYPE), SOCK_STREAM);
   * left.close();
   * right.close();
   * ```
   */
  getOption(level: number, name: number): number {
    assertInteger("a level", level);
    assertInteger("an option", name);
    return integerOption(this, level, name, `get option ${name} of level ${level} of`);
  }

  /**
   * Sets an option.
   *
   * @param level Whose option it is: `SOL_SOCKET`, `IPPROTO_TCP`, …
   * @param name The option: `SO_RCVBUF`, `TCP_NODELAY`, …
   * @param value An integer, or the bytes of a structure
   * @throws {RangeError} If level, name or a numeric value is no 32-bit integer
   * @throws {OSError} If the system refuses (`setsockopt`), such as with `ENOPROTOOPT`
   *
   * @example
   * ```ts
   * import { AF_INET, IPPROTO_TCP, SOCK_STREAM, Socket, TCP_NODELAY } from "@readiness/selectors/socket";
   *
   * using socket = new Socket(AF_INET, SOCK_STREAM);
   * socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
   * ```
   */
  setOption(level: number, name: number, value: number | Uint8Array): void {
    assertInteger("a level", level);
    assertInteger("an option", name);
    if (!(value instanceof Uint8Array)) assertInteger("a value", value);
    const bytes = value instanceof Uint8Array ? value : new Int32Array([value]);
    if (calls().setsockopt(this.fileno(), level, name, bytes, bytes.byteLength) < 0) {
      throw failure(this, `set option ${name} of level ${level} of`, "setsockopt");
    }
  }

  /**
   * The address that the socket is bound to.
   *
   * @throws {OSError} If the system refuses (`getsockname`), such as with `EBADF`
   * @throws {Deno.errors.NotSupported} If its family is none of IPv4, IPv6, Unix and packets
   *
   * @example
   * ```ts
   * import { AF_INET, SOCK_STREAM, Socket } from "@readiness/selectors/socket";
   *
   * using socket = new Socket(AF_INET, SOCK_STREAM);
   * socket.bind({ hostname: "127.0.0.1", port: 0 });
   * console.log(socket.localAddress); // { hostname: "127.0.0.1", port: … }
   * ```
   */
  get localAddress(): Address {
    const [bytes, size] = ownName(this);
    return decodeAddress(bytes, size) as Address;
  }

  /**
   * The peer's address.
   *
   * @throws {OSError} If the system refuses (`getpeername`), such as with `ENOTCONN`
   * @throws {Deno.errors.NotSupported} If its family is none of IPv4, IPv6, Unix and packets
   *
   * @example
   * ```ts
   * import { AF_INET, SOCK_DGRAM, Socket } from "@readiness/selectors/socket";
   *
   * using socket = new Socket(AF_INET, SOCK_DGRAM);
   * socket.connect({ hostname: "127.0.0.1", port: 9 });
   * console.log(socket.remoteAddress); // { hostname: "127.0.0.1", port: 9 }
   * ```
   */
  get remoteAddress(): Address {
    const bytes = new Uint8Array(ADDRESS_SIZE);
    const size = new Uint32Array([ADDRESS_SIZE]);
    if (calls().getpeername(this.fileno(), bytes, size) < 0) {
      throw failure(this, "tell the peer of", "getpeername");
    }
    // Windows tells nothing of a peer that has reset the connection before it was accepted.
    if (size[0] === 0 && familyOfSocket(this) !== AF_UNIX) {
      throw failure(this, "tell the peer of", "getpeername", ENOTCONN);
    }
    return decodeAddress(bytes, size[0]) as Address;
  }
}

/** A socket of whichever addresses: what works with all of them takes this. */
export type AnySocket = Socket<SocketAddress | PacketAddress>;

/**
 * Makes two sockets that are connected with each other.
 *
 * @param family Left out, `AF_UNIX`, which is the only one that most systems take. On Windows, where
 * the two are connected over loopback, it is `AF_INET` or `AF_INET6`
 * @param type `SOCK_STREAM`, `SOCK_DGRAM` or `SOCK_SEQPACKET`; on Windows the first alone
 * @returns The two, non-blocking and close-on-exec
 * @throws {RangeError} If one of the arguments is no 32-bit integer
 * @throws {OSError} If the system refuses (`socketpair`), such as with `EMFILE` or `EOPNOTSUPP`
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example
 * ```ts
 * import { socketpair } from "@readiness/selectors/socket";
 *
 * const [left, right] = socketpair();
 * left.send(new TextEncoder().encode("hi"));
 * const buffer = new Uint8Array(10);
 * const size = right.recv(buffer)!;
 * console.log(new TextDecoder().decode(buffer.subarray(0, size))); // hi
 * left.close();
 * right.close();
 * ```
 */
export function socketpair(
  family: number = platform.pairFamily,
  type: number = SOCK_STREAM,
): [Socket, Socket] {
  assertInteger("a family", family);
  assertInteger("a type", type);
  const fds = makePair(family, type);
  fds.forEach(keepSignalsAway);
  return [adopt(fds[0]), adopt(fds[1])];
}

function openSocket(family: number, type: number, protocol: number): number {
  assertInteger("a family", family);
  assertInteger("a type", type);
  assertInteger("a protocol", protocol);
  const fd = calls().socket(family, type | newSocketFlags, protocol);
  if (fd < 0) {
    const errno = lastErrno();
    throw new OSError(
      `Cannot make a socket of family ${family}, type ${type}, protocol ${protocol}` +
        (errno === EPERM || errno === EACCES ? privilegeFor(family, type, protocol) : ""),
      "socket",
      errno,
    );
  }
  finishBirth(fd);
  return fd;
}

/** Makes an object of a descriptor, past the constructor, which would open one. */
export function adopt(fd: number): Socket {
  return Reflect.construct(FileDescriptor, [fd], Socket) as Socket;
}

/** Asks for the socket's own address, in C's form. */
function ownName(
  socket: AnySocket,
  attempt = "tell the address of",
  syscall = "getsockname",
): [bytes: Uint8Array<ArrayBuffer>, size: number] {
  const bytes = new Uint8Array(ADDRESS_SIZE);
  const size = new Uint32Array([ADDRESS_SIZE]);
  if (calls().getsockname(socket.fileno(), bytes, size) < 0) {
    const errno = lastErrno();
    const unbound = errno === EINVAL ? platform.familyOfUnbound(socket.fileno()) : -1;
    if (unbound < 0) throw failure(socket, attempt, syscall, errno);
    return unnamed(unbound);
  }
  return [bytes, size[0]];
}

/** What a socket's own address is before it has one: zero, but for the family. */
function unnamed(family: number): [bytes: Uint8Array<ArrayBuffer>, size: number] {
  const { sockaddr_in, sockaddr_in6, sockaddr_un } = abi.structs;
  const bytes = new Uint8Array(ADDRESS_SIZE);
  bytes[sockaddr_un.fields.sun_family[0]] = family;
  const size = family === AF_INET
    ? sockaddr_in.size
    : family === AF_INET6
    ? sockaddr_in6.size
    : sockaddr_un.fields.sun_path[0];
  return [bytes, size];
}

/**
 * Whose data was received. A stream does not say so with each piece: it is the peer's. A connection
 * that is over has no peer any more, but what it brought last is still received: that gets the
 * unspecified address of the family.
 */
export function senderOf(
  socket: AnySocket,
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
): SocketAddress | PacketAddress {
  if (size > 0 && familyOf(bytes, size) !== AF_UNSPEC) return decodeAddress(bytes, size);
  const [own, ownSize] = ownName(socket);
  if (familyOf(own, ownSize) === AF_UNIX) return { path: "" };
  try {
    return socket.remoteAddress;
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    return decodeAddress(own.fill(0, abi.structs.sockaddr_in.fields.sin_port[0]), ownSize);
  }
}

function integerOption(socket: AnySocket, level: number, name: number, attempt: string): number {
  const value = new Int32Array(1);
  const size = new Uint32Array([value.byteLength]);
  if (calls().getsockopt(socket.fileno(), level, name, value, size) < 0) {
    throw failure(socket, attempt, "getsockopt");
  }
  return value[0];
}

/** Turns an address into C's form, for a socket of whichever family that is to be used with it. */
export function encodeFor(
  socket: AnySocket,
  address: SocketAddress | PacketAddress,
  attempt: string,
  syscall: string,
): Uint8Array<ArrayBuffer> {
  return encodeAddress(address, familyOfSocket(socket, attempt, syscall));
}

/** The families of sockets: they stay what they are. */
const families = new WeakMap<AnySocket, number>();

/** The address family of a socket, bound or not. */
export function familyOfSocket(socket: AnySocket, attempt?: string, syscall?: string): number {
  // A closed one is asked again, and refuses.
  let family = socket.fileno() < 0 ? undefined : families.get(socket);
  if (family === undefined) {
    family = familyOf(...ownName(socket, attempt, syscall));
    families.set(socket, family);
  }
  return family;
}

function failure(
  socket: AnySocket,
  attempt: string,
  syscall: string,
  errno = lastErrno(),
): OSError {
  const fd = socket.fileno();
  return new OSError(`Cannot ${attempt} ${nameOf(fd)}`, syscall, errnoOf(fd, errno));
}

/** Does what could not be done as the socket was made. */
function finishBirth(...fds: number[]): void {
  if (newSocketFlags === 0) makeNonBlockingAndCloseOnExec(...fds);
  fds.forEach(keepSignalsAway);
}

/** Keeps a broken connection from ending the process, where it is an option of the socket. */
function keepSignalsAway(fd: number): void {
  if (SO_NOSIGPIPE === undefined) return;
  const on = new Int32Array([1]);
  // macOS refuses (EINVAL) when the peer is gone already, and then there is nothing to keep away.
  calls().setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, on, on.byteLength);
}

/** Refuses what is no 32-bit integer. */
export function assertInteger(
  what: string,
  value: number,
  minimum: number = -0x8000_0000,
): void {
  if (!Number.isInteger(value) || value < minimum || value > 0x7fff_ffff) {
    throw new RangeError(
      `Cannot use ${what}: it must be an integer from ${minimum} to 2147483647, received ${
        String(value)
      }`,
    );
  }
}

/** Refuses flags that are none: a call that the compiler made fast would take anything. */
export function assertFlags(flags: number): void {
  if (flags !== 0) assertInteger("a mask of flags", flags);
}
