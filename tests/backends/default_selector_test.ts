import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { BACKENDS, firstAvailable } from "../../backends/default_selector.ts";
import {
  BaseSelector,
  DefaultSelector,
  DevpollSelector,
  EpollSelector,
  EVENT_READ,
  type FileObject,
  KqueueSelector,
  PollSelector,
  type SelectorClass,
  SelectSelector,
} from "../../mod.ts";
import { Pair } from "../support/descriptors.ts";
import { linuxOnly } from "../support/skip.ts";
import { isWinsock } from "../support/platform.ts";

/** Fakes of the backends, in their order; those before `first` are not available. */
function backendsFrom(first: number, asked: number[]): SelectorClass[] {
  return BACKENDS.map((_, i) =>
    class<Data, File extends FileObject> extends PollSelector<Data, File> {
      static override isAvailable(): boolean {
        asked.push(i);
        return i >= first;
      }
    }
  );
}

Deno.test("DefaultSelector prefers kqueue, /dev/poll, epoll, poll, select, in this order", () => {
  assertEquals(BACKENDS, [
    KqueueSelector,
    DevpollSelector,
    EpollSelector,
    ...(isWinsock ? [SelectSelector, PollSelector] : [PollSelector, SelectSelector]),
  ]);
});

BACKENDS.forEach((backend, i) => {
  Deno.test(`DefaultSelector is a ${backend.name} where no better one is available`, () => {
    const asked: number[] = [];
    const classes = backendsFrom(i, asked);
    assertStrictEquals(firstAvailable(classes), classes[i]);
    // No later backend is tried, and the last one is chosen without a try.
    assertEquals(asked, BACKENDS.map((_, i) => i).slice(0, Math.min(i + 1, BACKENDS.length - 1)));
  });
});

Deno.test("DefaultSelector is the last class where none is available, which then throws", () => {
  const classes = backendsFrom(Infinity, []);
  assertStrictEquals(firstAvailable(classes), classes.at(-1));
});

Deno.test("DefaultSelector is the first available class of this system", () => {
  using selector = new DefaultSelector<string>();
  assertInstanceOf(selector, BACKENDS.find((backend) => backend.isAvailable())!);
  assert(selector instanceof BaseSelector);
  assert(selector instanceof DefaultSelector);
  assert(DefaultSelector.isAvailable());
  using ends = new Pair();
  const key = selector.register(ends.left, EVENT_READ, "data");
  ends.fill();
  assertEquals(selector.select(), [[key, EVENT_READ]]);
});

Deno.test({
  name: "DefaultSelector is an EpollSelector on Linux",
  ...linuxOnly,
  fn() {
    using selector = new DefaultSelector();
    assertInstanceOf(selector, EpollSelector);
  },
});

Deno.test("BaseSelector.isAvailable() returns whether the system has the backend", () => {
  for (const backend of BACKENDS) {
    if (backend.isAvailable()) new backend().close();
  }
  if (Deno.build.os === "linux") {
    assertEquals(BACKENDS.map((backend) => backend.isAvailable()), [
      false,
      false,
      true,
      true,
      true,
    ]);
  }
});
