/**
 * A user's program: `deno task check` type-checks it, and the whole package with it, under stricter
 * options than the package's own.
 *
 * @module
 */

import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
import { pipe } from "@readiness/selectors/fd";
import { socketpair } from "@readiness/selectors/socket";

using selector = new DefaultSelector<string>();
const { reader, writer } = pipe();
const [left, right] = socketpair();
selector.register(reader, EVENT_READ, "pipe");
selector.register(left, EVENT_READ, "socket");
writer.write(new Uint8Array(1));
for (const [key, events] of selector.select(0)) console.log(key.data, events);
for (const end of [reader, writer, left, right]) end.close();
