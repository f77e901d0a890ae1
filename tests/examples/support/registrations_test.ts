import { assertEquals, assertThrows } from "@std/assert";
import { discard } from "../../../examples/support/registrations.ts";
import { AF_INET, OSError, SOCK_DGRAM, Socket } from "../../../ffi/socket/mod.ts";
import { DefaultSelector, EVENT_READ } from "../../../mod.ts";

/** A socket whose `close` fails after it has closed. */
class FailingSocket extends Socket {
  failure: Error = new Error("not set");

  override close(): void {
    super.close();
    throw this.failure;
  }
}

Deno.test("discard() ignores errors of the system, and no others", () => {
  using selector = new DefaultSelector<undefined, Socket>();
  const socket = new FailingSocket(AF_INET, SOCK_DGRAM);
  selector.register(socket, EVENT_READ);
  // Some systems report that the connection was reset.
  socket.failure = assertThrows(() => socket.listen(), OSError);
  discard(selector, socket);
  assertEquals([selector.getMap().size, socket.fileno()], [0, -1]);
  socket.failure = new RangeError("a mistake");
  assertThrows(() => discard(selector, socket), RangeError, "a mistake");
});
