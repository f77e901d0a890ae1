/**
 * Options that would be ignored in silence: each is a `TypeError`.
 *
 * @module
 */

import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  DevpollSelector,
  EVENT_READ,
  KqueueSelector,
  ready,
  SelectSelector,
  sendAll,
  whenReadable,
  whenWritable,
} from "../../mod.ts";
import { EventDescriptor, pipe, ProcessDescriptor, pseudoTerminal } from "../../ffi/fd/mod.ts";
import {
  createConnection,
  createServer,
  receiveMessage,
  resolve,
  sendMessage,
  setKeepAlive,
} from "../../ffi/socket/mod.ts";
import { Pair } from "../support/descriptors.ts";
import { isLinux } from "../support/os.ts";
import { isWinsock } from "../support/platform.ts";
import { linuxOnly } from "../support/skip.ts";
import { needsTerminals } from "./fd/terminals.ts";

const BYTES = new Uint8Array(1);
const LOOPBACK = { hostname: "127.0.0.1", port: 0 };

/** What is passed for the options by mistake. */
const NOT_OPTIONS = [5, "text", true, [], [1], new Set([1]), new Map(), () => {}] as never[];

Deno.test("sendMessage() throws TypeError when descriptors or control messages are no array", () => {
  using pair = new Pair();
  const { left, right } = pair;
  for (const value of [left, new Set([left]), 5, "3", null, { 0: left, length: 1 }, true]) {
    for (const name of ["descriptors", "control"]) {
      const error = assertThrows(() => sendMessage(left, BYTES, { [name]: value }), TypeError);
      assertEquals(
        error.message.replace(/, received .*/, ""),
        `Cannot send a message: its ${
          name === "control" ? "control messages" : name
        } must be an array`,
      );
    }
  }
  assertEquals(right.recv(new Uint8Array(9)), null); // Nothing was sent.
});

Deno.test("sendMessage() throws TypeError when a descriptor is missing", () => {
  using pair = new Pair();
  // deno-lint-ignore no-sparse-arrays
  const descriptors = [, pair.left] as never;
  assertThrows(() => sendMessage(pair.left, BYTES, { descriptors }), TypeError);
});

/** Functions with options that throw at once. */
const functions: Record<string, (options: never) => unknown> = {
  "sendMessage()": (options) => {
    using pair = new Pair();
    return sendMessage(pair.left, BYTES, options);
  },
  "receiveMessage()": (options) => {
    using pair = new Pair();
    return receiveMessage(pair.left, BYTES, options);
  },
  "setKeepAlive()": (options) => {
    using server = createServer(LOOPBACK);
    setKeepAlive(server, options);
  },
  "createServer()": (options) => createServer(LOOPBACK, options).close(),
  "KqueueSelector()": (options) => new KqueueSelector(options),
  "DevpollSelector()": (options) => new DevpollSelector(options),
  ...(isLinux
    ? {
      "EventDescriptor()": (options) => new EventDescriptor(options).close(),
      "ProcessDescriptor.spawn()": (options) => ProcessDescriptor.spawn("true", [], options),
      "ProcessDescriptor.wait()": (options) => {
        using self = new ProcessDescriptor(Deno.pid);
        self.wait(options);
      },
    }
    : {}),
  ...(isWinsock ? {} : {
    "Terminal.configure()": (options) => {
      using terminal = pseudoTerminal();
      terminal.manager.configure(options);
    },
    "Terminal.setWindowSize()": (options) => {
      using terminal = pseudoTerminal();
      terminal.manager.setWindowSize(options);
    },
  }),
};

for (const [name, call] of Object.entries(functions)) {
  Deno.test(`${name} throws TypeError when the options are no options`, () => {
    for (const options of NOT_OPTIONS) {
      const { message } = assertThrows(() => call(options), TypeError, "must be a plain object");
      assertEquals(/^Cannot .*: the options must be a plain object, received /.test(message), true);
    }
  });
}

/** Functions with options that reject. */
const promises: Record<string, (options: never) => Promise<unknown>> = {
  "ready()": (options) => withPipe((file) => ready(file, EVENT_READ, options)),
  "whenReadable()": (options) => withPipe((file) => whenReadable(file, () => null, options)),
  "whenWritable()": (options) => withPipe((file) => whenWritable(file, () => 1, options)),
  "sendAll()": (options) => {
    const pair = new Pair();
    return sendAll(pair.left, BYTES, options).finally(() => pair[Symbol.dispose]());
  },
  "selectAsync()": (options) => {
    const selector = new SelectSelector();
    return selector.selectAsync(0, options).finally(() => selector.close());
  },
  "resolve()": (options) => resolve("127.0.0.1", options),
  "createConnection()": (options) => {
    using server = createServer(LOOPBACK);
    return createConnection(server.localAddress, options);
  },
};

async function withPipe<T>(fn: (file: ReturnType<typeof pipe>["reader"]) => Promise<T>) {
  using ends = pipe();
  return await fn(ends.reader);
}

for (const [name, call] of Object.entries(promises)) {
  Deno.test(`${name} rejects with TypeError when the options are no options`, async () => {
    const { signal } = new AbortController();
    for (const options of [...NOT_OPTIONS, signal as never]) {
      assertInstanceOf(await call(options).catch((error) => error), TypeError);
    }
  });

  Deno.test(`${name} rejects with TypeError when the signal is no signal`, async () => {
    for (const signal of [5, {}, new AbortController(), "abort"]) {
      const error = await call({ signal } as never).catch((error) => error);
      assertInstanceOf(error, TypeError);
      assertEquals(
        /^Cannot .*: the signal must be an AbortSignal, received /.test(error.message),
        true,
        error.message,
      );
    }
  });
}

Deno.test("createServer() throws TypeError when a flag is not a boolean", () => {
  for (const name of ["reusePort", "dualStack"]) {
    for (const value of [1, "yes", 0, null]) {
      assertThrows(
        () => createServer(LOOPBACK, { [name]: value }),
        TypeError,
        `${name} must be a boolean, received `,
      );
    }
  }
});

Deno.test(
  "EventDescriptor() and wait() throw TypeError when a flag is not a boolean",
  linuxOnly,
  () => {
    using self = new ProcessDescriptor(Deno.pid);
    for (const value of [1, "yes", 0, null] as never[]) {
      assertThrows(() => new EventDescriptor({ semaphore: value }), TypeError);
      assertThrows(() => self.wait({ reap: value }), TypeError);
    }
  },
);

Deno.test("spawn() throws TypeError when its environment is no plain object", linuxOnly, () => {
  for (const env of [new Map([["A", "1"]]), new Headers(), ["A=1"], "A=1", 5, null] as never[]) {
    assertThrows(() => ProcessDescriptor.spawn("true", [], { env }), TypeError, "the env must be");
  }
  for (const clearEnv of [1, "yes", null] as never[]) {
    assertThrows(() => ProcessDescriptor.spawn("true", [], { clearEnv }), TypeError, "clearEnv");
  }
});

Deno.test(
  "Terminal.sendBreak() rejects with RangeError for a wrong duration",
  needsTerminals,
  async () => {
    using terminal = pseudoTerminal();
    for (const duration of ["5", NaN, -1, Infinity, 1.5] as number[]) {
      const error = await terminal.manager.sendBreak(duration).catch((error) => error);
      assertInstanceOf(error, RangeError);
    }
  },
);

Deno.test("KqueueSelector() throws TypeError when the library is not a path", () => {
  for (const library of [5, null, {}, ["/x.so"]] as never[]) {
    assertThrows(() => new KqueueSelector({ library }), TypeError, "its path must be a string");
    assertThrows(() => new DevpollSelector({ library }), TypeError, "its path must be a string");
  }
});
