/**
 * A user's program. `deno task check` checks its types, and those of every module that it imports,
 * under options stricter than the package's own.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ, sendAll, whenReadable } from "@readiness/selectors";
import { type FileDescriptor, pipe } from "@readiness/selectors/fd";
import { socketpair } from "@readiness/selectors/socket";

using selector = new DefaultSelector<string, FileDescriptor>();
const { reader, writer } = pipe();
const [left, right] = socketpair();
selector.register(reader, EVENT_READ, "pipe");
selector.register(left, EVENT_READ, "socket");
writer.write(new Uint8Array(1));
for (const [key, events] of selector.select(0)) {
  console.log(key.data, key.fileobj.read(new Uint8Array(1)), events);
}
const received: Promise<number> = whenReadable(left, () => left.recv(new Uint8Array(5)));
await sendAll(right, new TextEncoder().encode("hello"), { signal: AbortSignal.timeout(1000) });
console.log(await received);
for (const end of [reader, writer, left, right]) end.close();
