import { assert, assertEquals, assertFalse } from "@std/assert";
import { EventDescriptor, FileDescriptor } from "../../../ffi/fd/mod.ts";
import { BORN, descriptorFlags } from "../../support/descriptors.ts";
import { untilReadable, untilWritable } from "../../support/sockets.ts";
import { type Refusal, testRefusals } from "../socket/refusals.ts";
import { linuxOnly } from "../../support/skip.ts";

const MOST = 2n ** 64n - 2n;

function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, ...linuxOnly, fn });
}

function withEvent(call: (event: EventDescriptor) => unknown): () => unknown {
  return () => {
    using event = new EventDescriptor();
    return call(event);
  };
}

function closed(): EventDescriptor {
  const event = new EventDescriptor();
  event.close();
  return event;
}

const refusals: Refusal[] = [
  {
    name: "EventDescriptor() throws RangeError when the first value is out of range",
    error: RangeError,
    message: /^Cannot make a counter: its first value must be an integer from 0 to 4294967295, /,
    calls: [-1, 1.5, NaN, Infinity, 2 ** 32, "1", 1n].map((initial) => () =>
      new EventDescriptor({ initial: initial as never })
    ),
  },
  {
    name: "EventDescriptor.add() throws TypeError when it is given no number",
    error: TypeError,
    message: /^Cannot add: it must be a number or a bigint, received /,
    calls: [null, "1", true, {}].map((value) => withEvent((event) => event.add(value as never))),
  },
  {
    name: "EventDescriptor.add() throws RangeError when the value is out of range",
    error: RangeError,
    message: /^Cannot add: it must be an integer from 0 to 18446744073709551614, /,
    calls: [-1, 0.5, NaN, 2 ** 53, -1n, MOST + 1n].map((value) =>
      withEvent((event) => event.add(value))
    ),
  },
  {
    name: "EventDescriptor.add() throws OSError when it is closed",
    error: ["EBADF", "write"],
    message: /^Cannot write to a closed descriptor: /,
    calls: [() => closed().add()],
  },
  {
    name: "EventDescriptor.readCounter() throws OSError when it is closed",
    error: ["EBADF", "read"],
    message: /^Cannot read from a closed descriptor: /,
    calls: [() => closed().readCounter()],
  },
  {
    name: "EventDescriptor.read() throws OSError when there is no room for the number",
    error: ["EINVAL", "read"],
    message: /^Cannot read from fd \d+: /,
    calls: [withEvent((event) => event.read(new Uint8Array(7)))],
  },
];
testRefusals(refusals.map((refusal) => ({ ...refusal, ...linuxOnly })));

test("EventDescriptor() makes a descriptor that is non-blocking and close-on-exec", () => {
  using event = new EventDescriptor();
  assert(event instanceof FileDescriptor);
  assertEquals(descriptorFlags(event.fileno()), BORN);
  assertEquals(event.readCounter(), null);
});

test("EventDescriptor() begins with the value that it is given", () => {
  using event = new EventDescriptor({ initial: 0xffff_ffff });
  assertEquals(event.readCounter(), 0xffff_ffffn);
});

test("EventDescriptor.readCounter() reads what was added, and sets it to zero", () => {
  using event = new EventDescriptor();
  assert(event.add());
  assert(event.add(0));
  assert(event.add(2 ** 40));
  assert(event.add(2n ** 60n));
  untilReadable(event);
  assertEquals(event.readCounter(), 2n ** 60n + 2n ** 40n + 1n);
  assertEquals(event.readCounter(), null);
});

test("EventDescriptor.readCounter() takes one of a semaphore", () => {
  using event = new EventDescriptor({ initial: 1, semaphore: true });
  event.add(2);
  assertEquals([1, 2, 3, 4].map(() => event.readCounter()), [1n, 1n, 1n, null]);
});

test("EventDescriptor.add() returns false when there is no room, and changes nothing", () => {
  using event = new EventDescriptor();
  assert(event.add(MOST));
  assertFalse(event.add());
  assertEquals(event.readCounter(), MOST);
  untilWritable(event);
  assert(event.add());
});

test("EventDescriptor.fromFd() adopts a counter, with all that it has", () => {
  const made = new EventDescriptor({ initial: 3 });
  using adopted = EventDescriptor.fromFd(made.detach());
  assert(adopted instanceof EventDescriptor);
  adopted.add();
  assertEquals(adopted.readCounter(), 4n);
});
