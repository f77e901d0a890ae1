import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { DefaultSelector, EVENT_READ } from "../../../mod.ts";
import { FileDescriptor, TimerDescriptor } from "../../../ffi/fd/mod.ts";
import { BORN, descriptorFlags } from "../../support/descriptors.ts";
import { untilReadable } from "../../support/sockets.ts";
import { type ErrorCase, testErrors } from "../../support/error_cases.ts";
import { DEADLINE } from "../../support/deadline.ts";
import { linuxOnly } from "../../support/skip.ts";

function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, ...linuxOnly, fn });
}

function closed(): TimerDescriptor {
  const timer = new TimerDescriptor();
  timer.close();
  return timer;
}

function withTimer(call: (timer: TimerDescriptor) => unknown): () => unknown {
  return () => {
    using timer = new TimerDescriptor();
    return call(timer);
  };
}

export const errorCases: readonly ErrorCase[] = [
  {
    name: "TimerDescriptor.start() throws TypeError when a duration is not a number",
    error: TypeError,
    message:
      /^Cannot start a timer: the (delay|interval) must be a number of milliseconds, received /,
    calls: [NaN, "5", null, 5n, {}].flatMap((value) => [
      withTimer((timer) => timer.start(value as never)),
      withTimer((timer) => timer.start(1, value as never)),
    ]),
  },
  {
    name: "TimerDescriptor.start() throws RangeError when a duration is out of range",
    error: RangeError,
    message:
      /^Cannot start a timer: the (delay|interval) must be from 0 to \d+ milliseconds, received /,
    calls: [-1, -0.001, Infinity, 2 ** 54].flatMap((value) => [
      withTimer((timer) => timer.start(value)),
      withTimer((timer) => timer.start(1, value)),
    ]),
  },
  {
    name: "TimerDescriptor.start() and stop() throw OSError when it is closed",
    error: ["EBADF", "timerfd_settime"],
    message: /^Cannot set the timer of a closed descriptor: /,
    calls: [() => closed().start(1), () => closed().stop()],
  },
  {
    name: "TimerDescriptor.remaining() throws OSError when it is closed",
    error: ["EBADF", "timerfd_gettime"],
    message: /^Cannot read the remaining time of a closed descriptor: /,
    calls: [() => closed().remaining()],
  },
  {
    name: "TimerDescriptor.readExpirations() throws OSError when it is closed",
    error: ["EBADF", "read"],
    message: /^Cannot read from a closed descriptor: /,
    calls: [() => closed().readExpirations()],
  },
  {
    name: "TimerDescriptor.read() throws OSError when the buffer is too small",
    error: ["EINVAL", "read"],
    message: /^Cannot read from fd \d+: /,
    calls: [withTimer((timer) => timer.read(new Uint8Array(7)))],
  },
];
testErrors(errorCases.map((errorCase) => ({ ...errorCase, ...linuxOnly })));

test("TimerDescriptor() makes a stopped timer, non-blocking and close-on-exec", () => {
  using timer = new TimerDescriptor();
  assert(timer instanceof FileDescriptor);
  assertEquals(descriptorFlags(timer.fileno()), BORN);
  assertEquals(timer.readExpirations(), null);
  assertEquals(timer.remaining(), null);
});

test("TimerDescriptor.start() expires once and never early", () => {
  for (const delay of [0.3, 1, 12.5]) {
    using timer = new TimerDescriptor();
    const start = performance.now();
    timer.start(delay);
    untilReadable(timer);
    assertGreaterOrEqual(performance.now() - start, delay - 0.01);
    assertEquals(timer.readExpirations(), 1);
    assertEquals(timer.readExpirations(), null);
    assertEquals(timer.remaining(), null);
  }
});

test("TimerDescriptor.start() expires at once when the delay is zero", () => {
  using timer = new TimerDescriptor();
  timer.start(0);
  untilReadable(timer);
  assertEquals(timer.readExpirations(), 1);
});

test("TimerDescriptor.start() expires repeatedly with an interval", () => {
  using timer = new TimerDescriptor();
  const start = performance.now();
  timer.start(1, 2.5);
  let expirations = 0;
  while (expirations < 8) {
    untilReadable(timer);
    expirations += timer.readExpirations() ?? 0;
  }
  assertGreaterOrEqual(performance.now() - start, 1 + 7 * 2.5 - 0.01);
  assert(timer.remaining() !== null);
});

test("TimerDescriptor.start() drops unread expirations", () => {
  using timer = new TimerDescriptor();
  timer.start(0);
  untilReadable(timer);
  timer.start(60_000);
  assertEquals(timer.readExpirations(), null);
});

test("TimerDescriptor.start() takes a delay of centuries", () => {
  using timer = new TimerDescriptor();
  timer.start(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  assertGreaterOrEqual(timer.remaining()!, 1e12);
});

test("TimerDescriptor.stop() stops the timer and drops unread expirations", () => {
  using timer = new TimerDescriptor();
  timer.start(0, 1);
  untilReadable(timer);
  timer.stop();
  assertEquals(timer.readExpirations(), null);
  assertEquals(timer.remaining(), null);
});

test("TimerDescriptor.remaining() returns the time until the next expiration", () => {
  using timer = new TimerDescriptor();
  timer.start(600_000.5, 10);
  const remaining = timer.remaining()!;
  assert(remaining > 300_000 && remaining <= 600_000.5, `${remaining}`);
});

test("TimerDescriptor.readExpirations() counts all expirations since the last read", () => {
  using timer = new TimerDescriptor();
  using later = new TimerDescriptor();
  timer.start(1, 1);
  later.start(20);
  untilReadable(later);
  assertGreaterOrEqual(timer.readExpirations()!, 19);
});

test("TimerDescriptor ends select() and selectAsync()", async () => {
  using timer = new TimerDescriptor();
  using selector = new DefaultSelector();
  selector.register(timer, EVENT_READ);
  assertEquals(selector.select(0), []);
  timer.start(5);
  assertEquals(selector.select(DEADLINE).length, 1);
  assertEquals(timer.readExpirations(), 1);
  timer.start(5);
  assertEquals((await selector.selectAsync(DEADLINE)).length, 1);
});
