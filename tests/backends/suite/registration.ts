import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { EVENT_READ, EVENT_WRITE, KeyError, OSError } from "../../../mod.ts";
import { Descriptor, Pair } from "../../support/descriptors.ts";
import { type Backend, test } from "./backend.ts";

const BOTH = EVENT_READ | EVENT_WRITE;

/** `register`, `modify`, `unregister`, `getKey`, and their errors. */
export function testRegistration(backend: Backend): void {
  test(backend, "register() returns the key", (selector) => {
    using ends = new Pair();
    const data = { any: "thing" };
    const key = selector.register(ends.left, BOTH, data);
    assertStrictEquals(key.fileobj, ends.left);
    assertStrictEquals(key.data, data);
    assertEquals([key.fd, key.events], [ends.left.fileno(), BOTH]);
    assertStrictEquals(selector.getKey(ends.left), key);
  });

  test(backend, "register() accepts a bare descriptor", (selector) => {
    using ends = new Pair();
    const fd = ends.left.fileno();
    const key = selector.register(fd, EVENT_READ);
    assertEquals(key, { fileobj: fd, fd, events: EVENT_READ, data: undefined });
    ends.fill();
    assertEquals(selector.select(), [[key, EVENT_READ]]);
  });

  test(backend, "register() throws KeyError when the object is registered", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ, 1);
    const fd = ends.left.fileno();
    const error = assertThrows(() => selector.register(ends.left, EVENT_WRITE, 2), KeyError);
    assertInstanceOf(error, Error);
    assertEquals(error.name, "KeyError");
    assertStringIncludes(
      error.message,
      `Cannot register fd ${fd} (Socket): it is already registered`,
    );
    assertStrictEquals(selector.getKey(ends.left), key);
  });

  test(backend, "register() throws KeyError when the descriptor is registered", (selector) => {
    using ends = new Pair();
    const fd = ends.left.fileno();
    const key = selector.register(ends.left, EVENT_READ);
    assertThrows(() => selector.register(fd, EVENT_WRITE), KeyError, "(Socket)");
    assertThrows(() => selector.register({ fileno: () => fd }, EVENT_WRITE), KeyError);
    assertEquals([...selector.getMap().values()], [key]);
    assertEquals(selector.select(0), []);
  });

  test(backend, "register() says that an object is closed", (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    const fd = ends.left.fileno();
    ends.left.close();
    assertThrows(() => selector.register(ends.left, EVENT_READ), RangeError, "Socket is closed");
    assertThrows(
      () => selector.register(fd, EVENT_READ),
      KeyError,
      `already registered as fd ${fd} (Socket), which is closed: unregister that first`,
    );
  });

  test(backend, "register() accepts a file that was unregistered", (selector) => {
    using ends = new Pair();
    for (const events of [EVENT_READ, EVENT_WRITE, BOTH]) {
      assertEquals(selector.register(ends.left, events).events, events);
      selector.unregister(ends.left);
    }
    assertEquals(selector.getMap().size, 0);
  });

  test(backend, "register() of a closed descriptor registers nothing when it fails", (selector) => {
    using ends = new Pair();
    const closed = Descriptor.dupHigh(ends.left.fileno());
    closed.close();
    if (!backend.descriptorsAreChecked) return;
    const error = assertThrows(() => selector.register(closed.fd, EVENT_READ), OSError);
    assertEquals(error.code, "EBADF");
    assertStringIncludes(error.message, `Cannot register fd ${closed.fd}: Bad file descriptor`);
    assertEquals(selector.getMap().size, 0);
    closed.becomes(ends.left.fileno());
    selector.register(closed.fd, EVENT_READ);
    closed.close();
  });

  test(backend, "unregister() returns the key and stops its events", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ, "data");
    ends.fill();
    assertStrictEquals(selector.unregister(ends.left), key);
    assertEquals(selector.select(0), []);
    assert(!selector.getMap().has(ends.left));
  });

  test(backend, "unregister() accepts the descriptor of an object", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    assertStrictEquals(selector.unregister(ends.left.fileno()), key);
    assertEquals(selector.getMap().size, 0);
  });

  for (const method of ["unregister", "modify", "getKey"] as const) {
    test(backend, `${method}() throws KeyError when the object is not registered`, (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_READ, "data");
      const fd = ends.right.fileno();
      for (const file of [ends.right, fd]) {
        const error = assertThrows(() => selector[method](file, EVENT_WRITE), KeyError);
        assertStringIncludes(error.message, `fd ${fd}`);
        assertStringIncludes(error.message, "it is not registered");
      }
      assertEquals([...selector.getMap().values()], [key]);
    });
  }

  test(backend, "unregister() throws KeyError when it is called twice", (selector) => {
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    selector.unregister(ends.left);
    assertThrows(() => selector.unregister(ends.left), KeyError);
  });

  test(backend, "unregister() of one leaves the others", (selector) => {
    using a = new Pair();
    using b = new Pair();
    using c = new Pair();
    const keys = [a, b, c].map((ends, i) => selector.register(ends.left, EVENT_READ, i));
    selector.unregister(a.left);
    [a, b, c].forEach((ends) => ends.fill());
    const ready = selector.select().map(([key]) => key.data);
    assertEquals(ready.sort(), [1, 2]);
    assertEquals([...selector.getMap().values()], keys.slice(1));
  });

  test(backend, "modify() changes the events and the data", (selector) => {
    using ends = new Pair();
    const before = selector.register(ends.left, EVENT_READ, "before");
    const after = selector.modify(ends.left, EVENT_WRITE, "after");
    assertEquals(before.data, "before");
    assertEquals(after, {
      fileobj: ends.left,
      fd: ends.left.fileno(),
      events: EVENT_WRITE,
      data: "after",
    });
    assertStrictEquals(after.fileobj, before.fileobj);
    ends.fill();
    assertEquals(selector.select(), [[after, EVENT_WRITE]]);
    const both = selector.modify(ends.left, BOTH);
    assertEquals(both.data, undefined);
    assertEquals(selector.select(), [[both, BOTH]]);
    const read = selector.modify(ends.left.fileno(), EVENT_READ);
    assertStrictEquals(read.fileobj, ends.left);
    assertEquals(selector.select(), [[read, EVENT_READ]]);
  });

  test(backend, "modify() of the data alone makes no system call", (selector) => {
    using ends = new Pair();
    const file = Descriptor.dupHigh(ends.left.fileno());
    selector.register(file, EVENT_READ, "before");
    file.close(); // A system call would fail now, where descriptors are checked.
    const key = selector.modify(file, EVENT_READ, "after");
    assertEquals(key, { fileobj: file, fd: file.fd, events: EVENT_READ, data: "after" });
    assertStrictEquals(selector.getKey(file.fd), key);
    selector.unregister(file);
  });

  test(backend, "modify() drops the key when it fails", (selector) => {
    using ends = new Pair();
    using other = new Pair();
    using file = Descriptor.dupHigh(ends.left.fileno());
    const key = selector.register(other.left, EVENT_READ);
    selector.register(file, EVENT_READ);
    file.close();
    if (!backend.descriptorsAreChecked) return;
    const error = assertThrows(() => selector.modify(file, EVENT_WRITE), OSError);
    assertStringIncludes(error.message, "which is no longer registered");
    assertEquals([...selector.getMap().values()], [key]);
    file.becomes(ends.left.fileno());
    selector.register(file, EVENT_WRITE, "again");
    assertEquals(selector.select().map(([key]) => key.data), ["again"]);
  });

  test(backend, "getKey() finds an object by its descriptor too", (selector) => {
    using ends = new Pair();
    const key = selector.register(ends.left, EVENT_READ);
    assertStrictEquals(selector.getKey(ends.left.fileno()), key);
    assertStrictEquals(selector.getKey({ fileno: () => ends.left.fileno() }), key);
  });
}
