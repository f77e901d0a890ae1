import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { WakeDescriptor } from "../../backends/waker.ts";
import { EpollSelector, EVENT_READ, OSError, SelectSelector, wake } from "../../mod.ts";
import { Descriptor, Pair, Pipe } from "../support/descriptors.ts";
import { linuxOnly, skipIf } from "../support/skip.ts";
import { CLOSED } from "../support/platform.ts";
import { isWindows } from "../support/os.ts";
import { runProgram } from "../support/subprocess.ts";

function refusal(fd: number): string {
  return assertThrows(() => wake(fd), OSError, `Cannot wake fd ${fd}: `).code;
}

Deno.test("wake() throws TypeError for what is no number", () => {
  for (const fd of [undefined, null, "3", 3n, {}, [], Symbol()] as unknown[] as number[]) {
    assertThrows(() => wake(fd), TypeError);
  }
});

Deno.test("wake() throws RangeError for what is no descriptor", () => {
  for (const fd of [-1, 1.5, NaN, Infinity, 2 ** 31]) assertThrows(() => wake(fd), RangeError);
});

Deno.test("wake() throws OSError for a closed descriptor", () => {
  using ends = new Pair();
  using closed = Descriptor.dupHigh(ends.left.fileno());
  closed.close();
  assertEquals(refusal(closed.fd), CLOSED);
});

Deno.test("wake() throws OSError for the waker of a closed selector", () => {
  const selector = new SelectSelector();
  using high = Descriptor.dupHigh(selector.waker().fd);
  selector.close();
  wake(high.fd); // The open file outlives the selector, and is woken in vain.
  high.close();
  assertEquals(refusal(high.fd), CLOSED);
});

Deno.test("wake() throws OSError for a socket, and sends nothing", () => {
  using ends = new Pair();
  assertEquals(refusal(ends.left.fileno()), "EINVAL");
  assertEquals(ends.right.recv(new Uint8Array(8)), null);
  ends.right.close();
  assertEquals(refusal(ends.left.fileno()), "EINVAL"); // And no SIGPIPE.
});

Deno.test({
  name: "wake() throws OSError for a pipe, and writes nothing",
  ...linuxOnly,
  fn() {
    using pipe = new Pipe();
    assertEquals(refusal(pipe.writer.fileno()), "EINVAL");
    assertMatch(refusal(pipe.reader.fileno()), /^(EBADF|EINVAL)$/);
    assertEquals(pipe.reader.read(new Uint8Array(8)), null);
    pipe.reader.close();
    assertEquals(refusal(pipe.writer.fileno()), "EINVAL"); // And no SIGPIPE.
  },
});

Deno.test({
  name: "wake() throws OSError for a file that can be written, and writes nothing",
  ...linuxOnly,
  fn() {
    const path = Deno.makeTempFileSync();
    using file = Descriptor.open(path, "write");
    assertEquals(refusal(file.fd), "EINVAL");
    assertEquals(Deno.statSync(path).size, 0);
    Deno.removeSync(path);
  },
});

Deno.test(
  "wake() throws OSError for a file that cannot be written",
  skipIf(isWindows, "only sockets are descriptors on Windows"),
  () => {
    using file = Descriptor.open(Deno.execPath());
    assertMatch(refusal(file.fd), /^(EBADF|EINVAL)$/);
  },
);

Deno.test({
  name: "wake() throws OSError for the descriptor of a selector",
  ...linuxOnly,
  fn() {
    using selector = new EpollSelector();
    assertEquals(refusal(selector.fileno()), "EINVAL");
  },
});

Deno.test({
  name: "wake() takes a full waker as woken",
  ...linuxOnly,
  fn() {
    using selector = new SelectSelector();
    const { fd } = selector.waker();
    using file = Descriptor.dup(fd);
    // One short of what an eventfd holds.
    file.write(new Uint8Array(new BigUint64Array([0xffff_ffff_ffff_fffen]).buffer));
    wake(fd);
    assertEquals(selector.select(), []);
    assertEquals(selector.select(0.1), []);
    wake(fd);
    assertEquals(selector.select(), []);
  },
});

Deno.test("WakeDescriptor.drain() makes it quiet, however often it was woken", () => {
  const waker = new WakeDescriptor();
  using selector = new SelectSelector();
  selector.register(waker.reader, EVENT_READ);
  waker.drain();
  for (const count of [1, 3, 700]) {
    for (let i = 0; i < count; i++) waker.wake();
    assertEquals(selector.select().length, 1);
    waker.drain();
    assertEquals(selector.select(0), []);
  }
  waker.close();
});

Deno.test("WakeDescriptor throws OSError when it is closed", () => {
  const waker = new WakeDescriptor();
  waker.close();
  assertEquals([waker.reader, waker.writer], [-1, -1]); // Others may have its numbers now.
  assertThrows(() => waker.wake(), OSError);
  assertThrows(() => waker.drain(), OSError);
});

Deno.test({
  name: "A waker is a pipe where a filter of system calls refuses eventfd",
  ...linuxOnly,
  async fn() {
    for (const errno of [1, 38]) {
      const { code, stdout, stderr } = await runProgram(`
        import { failAlways } from "${new URL("../support/failing_calls.ts", import.meta.url)}";
        failAlways("eventfd", ${errno});
        using selector = new selectors.DefaultSelector();
        selectors.wake(selector.waker().fd);
        console.log(selector.select());
        const wait = selector.selectAsync();
        setTimeout(() => selector.waker().wake(), 5);
        console.log(await wait);
        const controller = new AbortController();
        setTimeout(() => controller.abort("stop"), 5);
        await selectors.ready(selector, EVENT_READ, controller).catch(console.log);
      `);
      assertEquals([stderr, stdout, code], ["", "[]\n[]\nstop", 0]);
    }
  },
});
