/**
 * Python's `selectors` for Deno: waits until any of many descriptors is ready for reading or
 * writing, through epoll, kqueue, /dev/poll, poll or select, called in the system's own libc.
 *
 * ## Many descriptors
 *
 * Register sockets, pipes or bare descriptors with a selector, with the events to wait for and any
 * data. Then wait with `select()`, which blocks the thread, or with `selectAsync()` or `for await`,
 * which leave the event loop free:
 *
 * ```ts
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import { createConnection, createServer, type Socket } from "@readiness/selectors/socket";
 *
 * const selector = new DefaultSelector<string, Socket>();
 * const server = createServer({ hostname: "127.0.0.1", port: 0 });
 * selector.register(server, EVENT_READ, "server");
 *
 * const client = await createConnection(server.localAddress);
 * client.send(new TextEncoder().encode("hello"));
 *
 * const buffer = new Uint8Array(65536);
 * for await (const [key] of selector) {
 *   if (key.data === "server") {
 *     const connection = key.fileobj.accept();
 *     if (connection !== null) selector.register(connection, EVENT_READ, "connection");
 *   } else {
 *     const size = key.fileobj.recv(buffer);
 *     if (size === null) continue; // Nothing to read yet
 *     console.log("received", new TextDecoder().decode(buffer.subarray(0, size)));
 *     selector.unregister(key.fileobj);
 *     key.fileobj.close();
 *     selector.close(); // Ends the loop
 *   }
 * }
 * server.close();
 * client.close();
 * ```
 *
 * - {@linkcode BaseSelector} documents the methods of every selector: `register()`, `modify()`,
 *   `unregister()`, `select()`, `selectAsync()`, `wakeup()`, `waker()`, `getKey()`, `getMap()` and
 *   `close()`.
 * - {@linkcode DefaultSelector} is the best selector of the running system.
 * - {@linkcode EpollSelector}, {@linkcode KqueueSelector}, {@linkcode DevpollSelector},
 *   {@linkcode PollSelector} and {@linkcode SelectSelector} differ in the system call, in cost and
 *   in a few limits, which the documentation of each names.
 * - {@linkcode EVENT_READ} and {@linkcode EVENT_WRITE} are the events of Python.
 *   {@linkcode EVENT_PRIORITY} and {@linkcode EVENT_HANGUP}, and the modes
 *   {@linkcode EDGE_TRIGGERED}, {@linkcode ONE_SHOT} and {@linkcode EXCLUSIVE}, go beyond them.
 * - {@linkcode wake} wakes a selector that another thread waits with.
 *
 * ## One descriptor
 *
 * {@linkcode ready} waits for one descriptor. {@linkcode whenReadable} and {@linkcode whenWritable}
 * also call the function that reads or writes, and {@linkcode sendAll} writes all of the data:
 *
 * ```ts
 * import { sendAll, whenReadable } from "@readiness/selectors";
 * import { socketpair } from "@readiness/selectors/socket";
 *
 * const [left, right] = socketpair();
 * const buffer = new Uint8Array(65536);
 * const size = whenReadable(right, () => right.recv(buffer));
 * await sendAll(left, new TextEncoder().encode("hello"));
 * console.log(await size); // 5
 * left.close();
 * right.close();
 * ```
 *
 * {@linkcode readableStream} and {@linkcode writableStream} turn a descriptor into a web stream,
 * for `pipeThrough()`, `new Response()` and everything else that takes one.
 *
 * All waits in the event loop share one native call, so thousands of them can be pending.
 *
 * ## Errors
 *
 * A failed system call throws {@linkcode OSError}, whose `code` is a name such as
 * `"ECONNREFUSED"`. A call that can do nothing now returns `null` instead. A file object that is
 * not registered, or is registered already, throws {@linkcode KeyError}.
 *
 * ## The other entry points
 *
 * - [`@readiness/selectors/socket`](https://jsr.io/@readiness/selectors/doc/socket): sockets
 * - [`@readiness/selectors/fd`](https://jsr.io/@readiness/selectors/doc/fd): all other descriptors
 *
 * Importing them opens nothing and needs no permission. The first selector, wait, socket or
 * descriptor opens libc, which needs `--allow-ffi`. The package runs on Deno only.
 *
 * @module
 */

export { BaseSelector, type DataArgument, type SelectAsyncOptions } from "./backends/base.ts";
export { DefaultSelector, type SelectorClass } from "./backends/default_selector.ts";
export {
  EDGE_TRIGGERED,
  EVENT_HANGUP,
  EVENT_PRIORITY,
  EVENT_READ,
  EVENT_WRITE,
  EXCLUSIVE,
  ONE_SHOT,
} from "./backends/events.ts";
export {
  type FileObject,
  type HasFileno,
  KeyError,
  type ReadyEvent,
  type SelectorKey,
} from "./backends/key.ts";
export {
  DevpollSelector,
  type DevpollSelectorOptions,
  EpollSelector,
  type KqueueLayout,
  KqueueSelector,
  type KqueueSelectorOptions,
  PollSelector,
  SelectSelector,
} from "./backends/selectors.ts";
export { ready, sendAll, type WaitOptions, whenReadable, whenWritable } from "./backends/ready.ts";
export { readableStream, writableStream } from "./backends/streams.ts";
export { SelectorMap } from "./backends/selector_map.ts";
export { wake, type Waker } from "./backends/waker.ts";
export { OSError } from "./ffi/errno.ts";
