import { assert, assertEquals } from "@std/assert";
import { type BaseSelector, EVENT_READ, EVENT_WRITE, OSError } from "../../../mod.ts";
import { AF_INET, MSG_OOB, SOCK_STREAM, Socket } from "../../../ffi/socket/mod.ts";
import { Pair, Pipe } from "../../support/descriptors.ts";
import { Connection } from "../../support/sockets.ts";
import { type Backend, test } from "./backend.ts";

const BOTH = EVENT_READ | EVENT_WRITE;

/** Which events are reported for a ready descriptor. */
export function testMasks(backend: Backend): void {
  test(backend, "select() reports only the events asked for", (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    assertEquals(selector.select(0), []); // It is writable, but that was not asked for.
    ends.fill();
    assertEquals(selector.select(0)[0]![1], EVENT_READ);
    selector.modify(ends.left, EVENT_WRITE);
    assertEquals(selector.select(0)[0]![1], EVENT_WRITE);
    ends.stuff();
    assertEquals(selector.select(0), []); // It is readable, but that was not asked for.
  });

  test(backend, "select() reports both directions in one entry", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, BOTH);
    assertEquals(selector.select(), [[key, EVENT_WRITE]]);
    ends.fill();
    assertEquals(selector.select(), [[key, BOTH]]);
    ends.stuff();
    assertEquals(selector.select(), [[key, EVENT_READ]]);
    ends.drain();
    assertEquals(selector.select(0), []);
  });

  test(backend, "select() keeps reporting what stays ready", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    ends.fill();
    for (let i = 0; i < 3; i++) assertEquals(selector.select(), [[key, EVENT_READ]]);
    ends.drain();
    assertEquals(selector.select(0), []);
  });

  test(backend, "select() reports each ready object once", (selector) => {
    using a = new Pair();
    using b = new Pair();
    using idle = new Pair();
    for (const ends of [a, b, idle]) selector.register(ends.left, EVENT_READ, ends);
    a.fill();
    b.fill();
    const ready = selector.select();
    assertEquals(ready.length, 2);
    assertEquals(new Set(ready.map(([key]) => key.data)), new Set<unknown>([a, b]));
  });

  test(backend, "select() reports both ends of a pipe", (selector) => {
    using pipe = new Pipe();
    selector.register(pipe.reader, EVENT_READ, "reader");
    selector.register(pipe.writer, EVENT_WRITE, "writer");
    assertEquals(selector.select().map(([key]) => key.data), ["writer"]);
    pipe.writer.write(new Uint8Array(1));
    assertEquals(selector.select().map(([key]) => key.data).sort(), ["reader", "writer"]);
  });

  for (const asked of [EVENT_READ, EVENT_WRITE, BOTH]) {
    test(backend, `select() reports a hang-up as ${wordsFor(asked)}`, (selector) => {
      using ends = new Pair();
      selector.register(ends.left, asked);
      ends.stuff();
      ends.right.close();
      assertEquals(selector.select().map(([, events]) => events), [asked]);
    });

    test(backend, `select() reports a refused connection as ${wordsFor(asked)}`, (selector) => {
      using bound = new Socket(AF_INET, SOCK_STREAM); // It does not listen.
      bound.bind({ hostname: "127.0.0.1", port: 0 });
      using client = new Socket(AF_INET, SOCK_STREAM);
      if (refusedAtOnce(client, bound)) return;
      selector.register(client, asked);
      assertEquals(waitForAll(selector, asked), asked);
      assertEquals(client.error()!.code, "ECONNREFUSED");
    });
  }

  test(
    backend,
    "select() and selectAsync() report a refused connection, registered before or after",
    async (selector) => {
      for (const wait of ["select", "selectAsync"] as const) {
        for (const when of ["before", "after"]) {
          using stack = new DisposableStack();
          const bound = stack.use(new Socket(AF_INET, SOCK_STREAM));
          bound.bind({ hostname: "127.0.0.1", port: 0 });
          const left = new Map<unknown, number>();
          for (const asked of [EVENT_READ, EVENT_WRITE, BOTH]) {
            const client = stack.use(new Socket(AF_INET, SOCK_STREAM));
            if (when === "before") selector.register(client, asked);
            if (refusedAtOnce(client, bound)) return;
            left.set(client, asked);
          }
          if (when === "after") {
            await new Promise((resolve) => setTimeout(resolve, 20));
            for (const [client, asked] of left) selector.register(client as Socket, asked);
          }
          for (let i = 0; i < 100 && left.size > 0; i++) {
            for (const [{ fileobj }, events] of await selector[wait]()) {
              const missing = left.get(fileobj)! & ~events;
              left.set(fileobj, missing);
              if (missing === 0) left.delete(selector.unregister(fileobj).fileobj);
            }
          }
          assertEquals(left.size, 0, `${wait}, registered ${when}`);
        }
      }
    },
  );

  test(backend, "select() reports a writer whose pipe is broken", (selector) => {
    using pipe = new Pipe();
    const key = selector.register(pipe.writer, EVENT_WRITE);
    const chunk = new Uint8Array(1 << 16);
    while (pipe.writer.write(chunk));
    assertEquals(selector.select(0), []);
    pipe.reader.close();
    assertEquals(selector.select(), [[key, EVENT_WRITE]]);
  });

  test(
    backend,
    "select() reports a writer that is registered after its reader is gone",
    (selector) => {
      using pipe = new Pipe();
      pipe.reader.close();
      const key = selector.register(pipe.writer, EVENT_WRITE);
      assertEquals(selector.select(), [[key, EVENT_WRITE]]);
      selector.unregister(pipe.writer);
      assertEquals(selector.select(0), []);
    },
  );

  test(
    backend,
    "select() reports a half-closed peer as readable alone while there is no room",
    (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, BOTH);
      ends.stuff();
      ends.right.shutdown("write");
      assertEquals(selector.select(), [[key, EVENT_READ]]);
    },
  );

  test(backend, "select() does not report urgent data as readable", (selector) => {
    using connection = new Connection();
    const { client, server } = connection;
    selector.register(server, EVENT_READ);
    client.send(new Uint8Array(1), MSG_OOB);
    assertEquals(selector.select(20), []);
    client.send(new Uint8Array(1));
    assertEquals(selector.select().length, 1);
    assertEquals(server.recv(new Uint8Array(9)), 1);
  });

  test(backend, "select() reports the end of a stream as readable", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    ends.right.shutdown("write");
    assertEquals(selector.select(), [[key, EVENT_READ]]);
    assertEquals(ends.left.recv(new Uint8Array(1)), 0);
  });

  test(
    backend,
    "select() does not report a full socket as writable when its peer half-closes",
    (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_WRITE);
      ends.stuff();
      ends.right.shutdown("write");
      assertEquals(selector.select(5), []);
      const buffer = new Uint8Array(1 << 16);
      let ready;
      do {
        while (ends.right.recv(buffer));
        ready = selector.select(20);
      } while (ready.length === 0);
      assertEquals(ready, [[key, EVENT_WRITE]]);
      const both = selector.modify(ends.left, BOTH);
      assertEquals(selector.select(), [[both, BOTH]]);
    },
  );

  test(backend, "select() reports a connection to accept", (selector) => {
    using server = new Socket(AF_INET, SOCK_STREAM);
    server.bind({ hostname: "127.0.0.1", port: 0 });
    server.listen();
    const key = selector.register(server, EVENT_READ);
    assertEquals(selector.select(0), []);
    using client = new Socket(AF_INET, SOCK_STREAM);
    client.connect(server.localAddress);
    assertEquals(selector.select(), [[key, EVENT_READ]]);
    using connection = server.accept();
    assert(connection !== null);
    selector.register(client, EVENT_WRITE, "client");
    assertEquals(selector.select().map(([key]) => key.data), ["client"]);
    assertEquals(client.error(), null);
  });
}

function wordsFor(events: number): string {
  return events === BOTH
    ? "readable and writable"
    : events === EVENT_READ
    ? "readable"
    : "writable";
}

function refusedAtOnce(client: Socket, bound: Socket): boolean {
  try {
    client.connect(bound.localAddress);
    return false;
  } catch (error) {
    if (!(error instanceof OSError) || error.code !== "ECONNREFUSED") throw error;
    return true;
  }
}

/** Waits for all events: those of a failing connection may be reported one after the other. */
function waitForAll(selector: BaseSelector, asked: number): number {
  let events = 0;
  for (let i = 0; i < 100 && events !== asked; i++) {
    for (const [, ready] of selector.select()) events = ready;
  }
  return events;
}
