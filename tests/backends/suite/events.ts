import { assertEquals, assertThrows } from "@std/assert";
import {
  type BaseSelector,
  EVENT_HANGUP,
  EVENT_PRIORITY,
  EVENT_READ,
  EVENT_WRITE,
} from "../../../mod.ts";
import { MSG_OOB } from "../../../ffi/socket/mod.ts";
import { DEADLINE } from "../../support/deadline.ts";
import { Pair, Pipe } from "../../support/descriptors.ts";
import { Connection, reset } from "../../support/sockets.ts";
import { isWindows } from "../../support/os.ts";
import { type Backend, supports, test } from "./backend.ts";

const BOTH = EVENT_READ | EVENT_WRITE;

/** The events beyond Python's: urgent data and hang-ups. */
export function testEvents(backend: Backend): void {
  const hasPriority = supports(backend, EVENT_PRIORITY);
  const hasHangup = supports(backend, EVENT_HANGUP);

  for (
    const [name, event] of Object.entries({ EVENT_PRIORITY, EVENT_HANGUP }).filter(([, event]) =>
      !supports(backend, event)
    )
  ) {
    test(backend, `register() throws NotSupported for ${name}, and changes nothing`, (selector) => {
      using ends = new Pair();
      for (const events of [event, event | EVENT_READ, event | BOTH]) {
        assertThrows(
          () => selector.register(ends.left, events),
          Deno.errors.NotSupported,
          `Selector does not support ${name}`,
        );
      }
      assertEquals(selector.getMap().size, 0);
      const key = selector.register(ends.left, EVENT_WRITE);
      assertThrows(() => selector.modify(ends.left, event), Deno.errors.NotSupported);
      assertEquals(selector.select(), [[key, EVENT_WRITE]]);
    });
  }

  if (hasPriority) {
    for (const wait of ["select", "selectAsync"] as const) {
      test(backend, `${wait}() reports urgent data where it was asked for`, async (selector) => {
        using connection = new Connection();
        using other = new Connection();
        const { client, server } = connection;
        const key = selector.register(server, EVENT_PRIORITY);
        selector.register(other.server, EVENT_READ);
        assertEquals(await selector[wait](1), []);
        client.send(new Uint8Array(1), MSG_OOB);
        other.client.send(new Uint8Array(1), MSG_OOB);
        assertEquals(await selector[wait](), [[key, EVENT_PRIORITY]]);
        assertEquals(server.recv(new Uint8Array(1), MSG_OOB), 1);
        assertEquals(await selector[wait](5), []);
        client.send(new Uint8Array(1));
        assertEquals(await selector[wait](5), []);
      });
    }

    test(backend, "select() reports urgent data with what else is ready", (selector) => {
      using connection = new Connection();
      const { client, server } = connection;
      const key = selector.register(server, BOTH | EVENT_PRIORITY);
      client.send(new Uint8Array(1));
      client.send(new Uint8Array(1), MSG_OOB);
      assertEquals(gather(selector, BOTH | EVENT_PRIORITY), BOTH | EVENT_PRIORITY);
      selector.modify(server, EVENT_READ);
      assertEquals(selector.select().map(([, events]) => events), [EVENT_READ]);
      selector.unregister(server);
      assertEquals(key.events, BOTH | EVENT_PRIORITY);
    });

    test(backend, "select() is quiet when what is urgent alone hangs up", (selector) => {
      using connection = new Connection();
      selector.register(connection.server, EVENT_PRIORITY);
      reset(connection.client);
      for (let i = 0; i < 3; i++) assertEquals(selector.select(2), []);
      selector.modify(connection.server, EVENT_READ);
      assertEquals(selector.select().map(([, events]) => events), [EVENT_READ]);
    });
  }

  if (!hasHangup) return;

  for (const wait of ["select", "selectAsync"] as const) {
    test(backend, `${wait}() reports the end of the peer's data as a hang-up`, async (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_HANGUP);
      ends.fill();
      assertEquals(await selector[wait](5), []);
      ends.right.shutdown("write");
      if (!canSeeHalfClose(backend)) ends.right.close();
      assertEquals(await selector[wait](), [[key, EVENT_HANGUP]]);
      assertEquals(await selector[wait](), [[key, EVENT_HANGUP]]);
    });

    test(backend, `${wait}() reports a reset as a hang-up`, async (selector) => {
      using connection = new Connection();
      const key = selector.register(connection.server, EVENT_HANGUP);
      assertEquals(await selector[wait](1), []);
      reset(connection.client);
      assertEquals(await selector[wait](), [[key, EVENT_HANGUP]]);
    });
  }

  test(backend, "select() reports a hang-up with all else that was asked for", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, BOTH | EVENT_HANGUP);
    assertEquals(selector.select(), [[key, EVENT_WRITE]]);
    ends.right.close();
    assertEquals(gather(selector, BOTH | EVENT_HANGUP), BOTH | EVENT_HANGUP);
  });

  if (!isWindows) {
    test(backend, "select() reports a closed pipe as a hang-up at either end", (selector) => {
      for (const [closed, open] of [["writer", "reader"], ["reader", "writer"]] as const) {
        using pipe = new Pipe();
        const events = open === "writer" ? EVENT_HANGUP | EVENT_WRITE : EVENT_HANGUP;
        selector.register(pipe[open], events);
        pipe[closed].close();
        assertEquals(gather(selector, events), events);
        selector.unregister(pipe[open]);
      }
    });
  }

  test(backend, "modify() adds and removes a hang-up", (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    selector.modify(ends.left, EVENT_READ | EVENT_HANGUP);
    ends.right.close();
    assertEquals(gather(selector, EVENT_READ | EVENT_HANGUP), EVENT_READ | EVENT_HANGUP);
    selector.modify(ends.left, EVENT_HANGUP);
    assertEquals(selector.select().map(([, events]) => events), [EVENT_HANGUP]);
    selector.modify(ends.left, EVENT_READ);
    assertEquals(selector.select().map(([, events]) => events), [EVENT_READ]);
  });
}

/** /dev/poll has no bit for the end of the peer's data alone. */
function canSeeHalfClose(backend: Backend): boolean {
  return !backend.name.startsWith("Devpoll");
}

/** Selects until all of the events were reported for the one key, or for too long. */
function gather(selector: BaseSelector, events: number): number {
  const end = performance.now() + DEADLINE;
  let found = 0;
  while (found !== events && performance.now() < end) {
    for (const [, reported] of selector.select()) found |= reported;
  }
  return found;
}
