import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { EVENT_READ, OSError, PollSelector } from "../../mod.ts";
import { Pair } from "../support/descriptors.ts";
import { windowsOnly } from "../support/skip.ts";
import { runProgram } from "../support/subprocess.ts";

Deno.test({
  name: "PollSelector.select() ignores a closed socket on Windows, and reports the others",
  ...windowsOnly,
  async fn() {
    using stack = new DisposableStack();
    using selector = new PollSelector();
    const pairs = Array.from({ length: 6 }, () => stack.use(new Pair()));
    for (const ends of pairs) selector.register(ends.left, EVENT_READ, ends);
    for (const i of [0, 1, 3]) pairs[i]!.left.close();
    assertEquals(selector.select(2), []);
    assertEquals(await selector.selectAsync(2), []);
    for (const i of [2, 5]) pairs[i]!.fill();
    for (const ready of [selector.select(), await selector.selectAsync()]) {
      assertEquals(ready.map(([key]) => key.data), [pairs[2], pairs[5]]);
    }
  },
});

Deno.test({
  name: "PollSelector.select() throws OSError while every registered socket is closed on Windows",
  ...windowsOnly,
  async fn() {
    using selector = new PollSelector();
    using ends = new Pair();
    selector.register(ends.left, EVENT_READ);
    ends.left.close();
    const error = assertThrows(() => selector.select(), OSError);
    assertMatch(error.code, /^(ENOTSOCK|EINVAL)$/); // Wine's, or the documented one.
    assertEquals(error.syscall, "WSAPoll");
    await assertRejects(() => selector.selectAsync(2), OSError);
    selector.unregister(ends.left);
    assertEquals(selector.select(1), []);
  },
});

Deno.test({
  name: "PollSelector.selectAsync() continues when a socket is closed during the wait on Windows",
  ...windowsOnly,
  async fn() {
    using selector = new PollSelector();
    using ends = new Pair();
    using other = new Pair();
    selector.register(ends.left, EVENT_READ);
    const key = selector.register(other.left, EVENT_READ);
    setTimeout(() => ends.left.close(), 5);
    setTimeout(() => other.fill(), 20);
    // Wine reports the closed socket once.
    for (let i = 0; i < 2; i++) {
      const ready = await selector.selectAsync();
      if (ready.some(([{ fd }]) => fd === key.fd)) return;
    }
    throw new Error("The open socket was not reported");
  },
});

Deno.test({
  name: "PollSelector is not available where WSAPoll does not report failed connections",
  ...windowsOnly,
  async fn() {
    const { stdout, stderr } = await runProgram(`
      const { dlopen } = Deno;
      Deno.dlopen = (path, calls) => "RtlGetVersion" in calls
        ? { symbols: { RtlGetVersion: (version) => (version[3] = 19040, 0) } }
        : dlopen(path, calls);
      console.log(selectors.PollSelector.isAvailable(), selectors.SelectSelector.isAvailable());
      try {
        new selectors.PollSelector();
      } catch (error) {
        console.log(error instanceof Deno.errors.NotSupported, error.message);
      }
    `);
    assertEquals(stderr, "");
    assertEquals(stdout.split(/\r?\n/), [
      "false true",
      "true Cannot make a PollSelector: windows has no WSAPoll that reports failed connections " +
      "before build 19041; use DefaultSelector instead",
    ]);
  },
});
