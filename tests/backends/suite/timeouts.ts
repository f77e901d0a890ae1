import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { EVENT_READ, EVENT_WRITE } from "../../../mod.ts";
import { Pair } from "../../support/descriptors.ts";
import { startProgram } from "../../support/subprocess.ts";
import { DEADLINE } from "../../support/deadline.ts";
import { type Backend, test } from "./backend.ts";
import { skipIf } from "../../support/skip.ts";
import { isWindows } from "../../support/os.ts";

/** Timeouts of both kinds of wait. */
export function testTimeouts(backend: Backend): void {
  for (const timeout of [0, -0, -1, -0.5, -Infinity]) {
    test(backend, `select(${Object.is(timeout, -0) ? "-0" : timeout}) polls`, (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_READ);
      assertEquals(selector.select(timeout), []);
      ends.fill();
      assertEquals(selector.select(timeout), [[key, EVENT_READ]]);
    });
  }

  for (const timeout of [0.001, 0.2, 1, 1.5, 20, 20.25]) {
    test(backend, `select(${timeout}) never returns early`, async (selector) => {
      using ends = new Pair();
      selector.register(ends.left, EVENT_READ);
      for (const wait of ["select", "selectAsync"] as const) {
        const start = performance.now();
        assertEquals(await selector[wait](timeout), []);
        const took = performance.now() - start;
        assertGreaterOrEqual(took, timeout);
        assertLess(took, DEADLINE);
      }
    });
  }

  test(backend, "select() waits for its timeout with nothing registered", (selector) => {
    const start = performance.now();
    assertEquals(selector.select(2), []);
    assertGreaterOrEqual(performance.now() - start, 2);
  });

  for (const timeout of [undefined, null, Infinity, 1e300, 2 ** 31, 0.5 + 2 ** 31, 600_000]) {
    test(backend, `select(${timeout}) returns at once what is ready`, async (selector) => {
      using ends = new Pair();
      const key = selector.register(ends.left, EVENT_WRITE);
      const start = performance.now();
      assertEquals(selector.select(timeout), [[key, EVENT_WRITE]]);
      assertEquals(await selector.selectAsync(timeout), [[key, EVENT_WRITE]]);
      assertLess(performance.now() - start, DEADLINE);
    });
  }

  test(backend, "select() keeps waiting when signals interrupt it", async (selector) => {
    selector.close();
    const child = await startProgram(`
      let heard = 0;
      Deno.addSignalListener("SIGUSR2", () => heard++);
      using selector = ${backend.source};
      const [left, right] = sockets.socketpair();
      selector.register(left, EVENT_READ);
      console.log("ready");
      const start = performance.now();
      const ready = selector.select(500);
      const took = performance.now() - start;
      while (heard === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      console.log(JSON.stringify({ ready, took, heard }));
      setInterval(() => {}, 1000); // Stay alive until the kill.
    `);
    let text = "";
    let timer: ReturnType<typeof setInterval> | undefined;
    const errors = new Response(child.stderr).text();
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.startsWith("ready\n")) timer ??= setInterval(() => child.kill("SIGUSR2"), 2);
      if (text.endsWith("}\n")) {
        clearInterval(timer);
        child.kill("SIGKILL");
      }
    }
    clearInterval(timer);
    assertEquals(await errors, "");
    const { ready, took, heard } = JSON.parse(text.slice("ready\n".length));
    assertEquals(ready, []);
    assertGreaterOrEqual(took, 500);
    assertLess(took, DEADLINE);
    assertGreaterOrEqual(heard, 1);
  }, skipIf(isWindows, "Windows has no signals"));
}
