import { assert, assertEquals, assertFalse } from "@std/assert";
import { EventDescriptor, FileDescriptor } from "../../../ffi/fd/mod.ts";
import { BORN, descriptorFlags } from "../../support/descriptors.ts";
import { untilReadable, untilWritable } from "../../support/sockets.ts";
import { type ErrorCase, testErrors } from "../../support/error_cases.ts";
import { linuxOnly } from "../../support/skip.ts";

const MAX_COUNTER = 2n ** 64n - 2n;

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

export const errorCases: readonly ErrorCase[] = [
  {
    name: "EventDescriptor() throws RangeError when the first value is out of range",
    error: RangeError,
    message: /^Cannot make a counter: its first value must be an integer from 0 to 4294967295, /,
    calls: [-1, 1.5, NaN, Infinity, 2 ** 32, "1", 1n].map((initial) => () =>
      new EventDescriptor({ initial: initial as never })
    ),
  },
  {
    name: "EventDescriptor.add() throws TypeError when the value is not a number",
    error: TypeError,
    message: /^Cannot add to a counter: the value must be a number or a bigint, received /,
    calls: [null, "1", true, {}].map((value) => withEvent((event) => event.add(value as never))),
  },
  {
    name: "EventDescriptor.add() throws RangeError when the value is out of range",
    error: RangeError,
    message:
      /^Cannot add to a counter: the value must be an integer from 0 to 18446744073709551614, /,
    calls: [-1, 0.5, NaN, 2 ** 53, -1n, MAX_COUNTER + 1n].map((value) =>
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
    name: "EventDescriptor.read() throws OSError when the buffer is too small",
    error: ["EINVAL", "read"],
    message: /^Cannot read from fd \d+: /,
    calls: [withEvent((event) => event.read(new Uint8Array(7)))],
  },
];
testErrors(errorCases.map((errorCase) => ({ ...errorCase, ...linuxOnly })));

test("EventDescriptor() makes a counter, non-blocking and close-on-exec", () => {
  using event = new EventDescriptor();
  assert(event instanceof FileDescriptor);
  assertEquals(descriptorFlags(event.fileno()), BORN);
  assertEquals(event.readCounter(), null);
});

test("EventDescriptor() starts with the initial value", () => {
  using event = new EventDescriptor({ initial: 0xffff_ffff });
  assertEquals(event.readCounter(), 0xffff_ffffn);
});

test("EventDescriptor.readCounter() returns the sum and resets it to zero", () => {
  using event = new EventDescriptor();
  assert(event.add());
  assert(event.add(0));
  assert(event.add(2 ** 40));
  assert(event.add(2n ** 60n));
  untilReadable(event);
  assertEquals(event.readCounter(), 2n ** 60n + 2n ** 40n + 1n);
  assertEquals(event.readCounter(), null);
});

test("EventDescriptor.readCounter() takes one from a semaphore", () => {
  using event = new EventDescriptor({ initial: 1, semaphore: true });
  event.add(2);
  assertEquals([1, 2, 3, 4].map(() => event.readCounter()), [1n, 1n, 1n, null]);
});

test("EventDescriptor.add() returns false and changes nothing when there is no room", () => {
  using event = new EventDescriptor();
  assert(event.add(MAX_COUNTER));
  assertFalse(event.add());
  assertEquals(event.readCounter(), MAX_COUNTER);
  untilWritable(event);
  assert(event.add());
});

test("EventDescriptor.fromFd() adopts a counter with its value", () => {
  const made = new EventDescriptor({ initial: 3 });
  using adopted = EventDescriptor.fromFd(made.detach());
  assert(adopted instanceof EventDescriptor);
  adopted.add();
  assertEquals(adopted.readCounter(), 4n);
});
