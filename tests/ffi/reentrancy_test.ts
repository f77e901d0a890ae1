/**
 * Code of the caller that runs within a call, such as a getter of an address, and closes the
 * socket. Its number may be another file's by then, to which nothing may happen.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { EventDescriptor, ProcessDescriptor } from "../../ffi/fd/mod.ts";
import {
  AF_INET,
  OSError,
  receiveMessage,
  sendMessage,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type SocketAddress,
  socketpair,
} from "../../ffi/socket/mod.ts";
import { Descriptor } from "../support/descriptors.ts";
import { isWinsock } from "../support/platform.ts";
import { linuxOnly, skipIf } from "../support/skip.ts";
import { datagrams, needsUnix } from "../support/sockets.ts";
import { waitForEnd } from "./fd/children.ts";

const BYTES = new Uint8Array(4);

/** A socket that is closed by code within a call, which opens another of its number. */
class Victim implements Disposable {
  readonly socket: Socket;
  other: Socket | null = null;
  readonly #type: number;
  /** Keeps the number, which other test files would get otherwise. */
  readonly #number: Descriptor;

  constructor(type: number) {
    this.#type = type;
    using socket = new Socket(AF_INET, type);
    this.#number = Descriptor.dupHigh(socket.fileno());
    this.socket = Socket.fromFd(this.#number.fd);
  }

  /** Closes the socket, and opens another of its number. */
  readonly swap = (): void => {
    if (this.other !== null) return;
    this.socket.close();
    using other = new Socket(AF_INET, this.#type);
    this.#number.becomes(other.fileno());
    this.other = Socket.fromFd(this.#number.fd);
  };

  /** An address whose hostname does that when it is read. */
  address(port: number): SocketAddress {
    const { swap } = this;
    return {
      get hostname() {
        swap();
        return "127.0.0.1";
      },
      port,
    };
  }

  [Symbol.dispose](): void {
    this.socket.close();
    this.other?.close();
  }
}

// Windows gives other numbers to new sockets.
const needsReuse = skipIf(isWinsock, "Windows does not reuse numbers at once");

Deno.test("Socket.bind() binds no other socket if the address closes it", needsReuse, () => {
  using victim = new Victim(SOCK_STREAM);
  const error = assertThrows(() => victim.socket.bind(victim.address(0)), OSError);
  assertEquals([error.code, error.syscall], ["EBADF", "bind"]);
  assertEquals(victim.other!.localAddress, { hostname: "0.0.0.0", port: 0 });
});

Deno.test("Socket.connect() connects no other socket if the address closes it", needsReuse, () => {
  using server = datagrams();
  using victim = new Victim(SOCK_DGRAM);
  const { port } = server.localAddress as { port: number };
  const error = assertThrows(() => victim.socket.connect(victim.address(port)), OSError);
  assertEquals([error.code, error.syscall], ["EBADF", "connect"]);
  assertEquals(assertThrows(() => victim.other!.remoteAddress, OSError).code, "ENOTCONN");
});

Deno.test("Socket.sendTo() and sendMessage() send from no other socket", needsReuse, () => {
  using server = datagrams();
  const { port } = server.localAddress as { port: number };
  {
    using victim = new Victim(SOCK_DGRAM);
    const error = assertThrows(() => victim.socket.sendTo(BYTES, victim.address(port)), OSError);
    assertEquals([error.code, error.syscall], ["EBADF", "sendto"]);
  }
  {
    using victim = new Victim(SOCK_DGRAM);
    const address = victim.address(port);
    const error = assertThrows(() => sendMessage(victim.socket, BYTES, { address }), OSError);
    assertEquals([error.code, error.syscall], ["EBADF", "sendmsg"]);
  }
  assertEquals(server.recv(new Uint8Array(9)), null);
});

Deno.test("sendMessage() sends from no other socket if a descriptor closes it", needsUnix, () => {
  const [left, right] = socketpair();
  let others: Socket[] = [];
  const file = {
    fileno() {
      left.close();
      others = socketpair();
      return right.fileno();
    },
  };
  const error = assertThrows(() => sendMessage(left, BYTES, { descriptors: [file] }), OSError);
  assertEquals(error.code, "EBADF");
  assertEquals(others[1].recv(new Uint8Array(9)), null);
  for (const socket of [right, ...others]) socket.close();
});

Deno.test(
  "Socket.shutdown() throws TypeError for an object that becomes a string",
  needsUnix,
  () => {
    const [left, right] = socketpair();
    let others: Socket[] = [];
    const how = {
      toString() {
        if (others.length === 0) {
          left.close();
          others = socketpair();
        }
        return "write";
      },
    };
    assertThrows(() => left.shutdown(how as never), TypeError);
    for (const socket of others) assertEquals(socket.recv(new Uint8Array(9)), null);
    for (const socket of [left, right, ...others]) socket.close();
  },
);

Deno.test(
  "receiveMessage() receives from no other socket if an option closes it",
  needsUnix,
  () => {
    const [left, right] = socketpair();
    let others: Socket[] = [];
    const options = {
      get flags() {
        left.close();
        others = socketpair();
        others[1].send(BYTES);
        return 0;
      },
    };
    assertEquals(assertThrows(() => receiveMessage(left, BYTES, options), OSError).code, "EBADF");
    assertEquals(others[0].recv(new Uint8Array(9)), BYTES.length);
    for (const socket of [right, ...others]) socket.close();
  },
);

/** A socket whose fileno() first does something else. */
class BusySocket extends Socket {
  before = (): void => {};

  override fileno(): number {
    this.before();
    return super.fileno();
  }
}

Deno.test("sendMessage() and receiveMessage() use no memory that fileno() gives away", () => {
  using server = datagrams();
  using socket = new BusySocket(AF_INET, SOCK_DGRAM);
  socket.connect(server.localAddress);
  for (const call of [sendMessage, receiveMessage] as ((...args: unknown[]) => unknown)[]) {
    for (const asArray of [false, true]) {
      const buffer = new Uint8Array(1 << 16);
      let kept: ArrayBuffer | undefined;
      socket.before = () => kept ??= buffer.buffer.transfer();
      assertThrows(() => call(socket, asArray ? [buffer] : buffer), TypeError);
      assert(new Uint8Array(kept!).every((byte) => byte === 0));
    }
  }
});

Deno.test("receiveMessage() reads an array of buffers once", () => {
  using server = datagrams();
  using client = new Socket(AF_INET, SOCK_DGRAM);
  client.sendTo(new Uint8Array(100).fill(1), server.localAddress);
  const small = new Uint8Array(8);
  let reads = 0;
  const buffers = new Proxy([small], {
    get: (target, name) =>
      name === "0" ? (reads++ === 0 ? small : "text") : Reflect.get(target, name),
  });
  assertEquals(receiveMessage(server, buffers)?.truncated, true);
  assertEquals([reads, small[7]], [1, 1]);
});

Deno.test("Socket.sendTo() reports its own error if the address makes calls that fail", () => {
  using socket = datagrams();
  using other = new Socket(AF_INET, SOCK_DGRAM);
  const address: SocketAddress = {
    get hostname() {
      assertThrows(() => other.remoteAddress, OSError);
      return "127.0.0.1";
    },
    port: 9,
  };
  const error = assertThrows(() => socket.sendTo(new Uint8Array(70_000), address), OSError);
  assertEquals([error.code, error.syscall], ["EMSGSIZE", "sendto"]);
});

Deno.test("An error is that of the call if fileno() makes calls that fail", () => {
  using other = new Socket(AF_INET, SOCK_DGRAM);
  using socket = new BusySocket(AF_INET, SOCK_STREAM);
  socket.before = () => void assertThrows(() => other.remoteAddress, OSError);
  const error = assertThrows(() => socket.accept(), OSError);
  assertEquals(error.code, "EINVAL");
  const closed = new BusySocket(AF_INET, SOCK_STREAM);
  closed.close();
  closed.before = socket.before;
  assertEquals(assertThrows(() => closed.recv(BYTES), OSError).code, "EBADF");
});

Deno.test(
  "EventDescriptor does not mix its counter with one in an overridden method",
  linuxOnly,
  () => {
    using other = new EventDescriptor({ initial: 9 });
    class Busy extends EventDescriptor {
      override write(data: Uint8Array): number | null {
        other.add(5);
        return super.write(data);
      }
      override read(buffer: Uint8Array): number | null {
        const size = super.read(buffer);
        other.readCounter();
        return size;
      }
    }
    using counter = new Busy();
    counter.add(3);
    assertEquals(counter.readCounter(), 3n);
  },
);

Deno.test(
  "ProcessDescriptor.wait() waits for no other process if an option closes it",
  linuxOnly,
  () => {
    const closed = ProcessDescriptor.spawn("true");
    let other: ProcessDescriptor | undefined;
    const options = {
      get reap() {
        closed.close();
        other = ProcessDescriptor.spawn("true");
        return true;
      },
    };
    assertEquals(assertThrows(() => closed.wait(options), OSError).code, "EBADF");
    using again = new ProcessDescriptor(closed.pid);
    for (const child of [other!, again]) assertEquals(waitForEnd(child)?.code, 0);
    other!.close();
  },
);
