import { assertEquals, assertRejects } from "@std/assert";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";

/** Lookups that have begun, each with what lets it go on. */
const begun: (() => void)[] = [];

// Lookups wait here until the test lets them go on, as if a name server did not answer.
const { dlopen } = Deno;
Deno.dlopen = ((path: string, declarations: Deno.ForeignLibraryInterface) => {
  const library = dlopen(path, declarations);
  const symbols = library.symbols as Record<string, unknown>;
  const call = symbols.getaddrinfoOffThread as
    | ((...args: unknown[]) => Promise<number>)
    | undefined;
  if (call === undefined) return library;
  const getaddrinfoOffThread = async (...args: unknown[]) => {
    await new Promise<void>((resolve) => begun.push(resolve));
    return await call(...args);
  };
  return { close: () => library.close(), symbols: { ...symbols, getaddrinfoOffThread } };
}) as typeof Deno.dlopen;

const { resolve } = await import("../../../ffi/socket/mod.ts");

/** Lets the microtasks and timers run that are due. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function finish(): Promise<void> {
  for (;;) {
    begun.splice(0).forEach((goOn) => goOn());
    await turn();
    if (begun.length === 0) return;
  }
}

Deno.test("resolve() looks up four names at once, and others wait for their turn", async () => {
  const names = Array.from({ length: 10 }, (_, i) => `127.0.1.${i}`);
  const results = names.map((name) => resolve(name));
  await turn();
  assertEquals(begun.length, 4);
  begun.shift()!();
  assertEquals(await results[0], [{ hostname: "127.0.1.0", port: 0 }]);
  await turn();
  assertEquals(begun.length, 4);
  const rest = Promise.all(results);
  await finish();
  assertEquals((await rest).map(([address]) => address!.hostname), names);
});

Deno.test("resolve() rejects at once when it is aborted, though the resolver goes on", async () => {
  const aborted = new AbortController();
  const results = Array.from(
    { length: 4 },
    () => resolve("127.0.0.1", { signal: aborted.signal }),
  );
  const queued = resolve("127.0.0.2", { signal: aborted.signal });
  const last = resolve("127.0.0.3");
  await turn();
  aborted.abort(new Error("enough"));
  for (const result of [...results, queued]) {
    await assertRejects(() => result, Error, "enough");
  }
  await turn();
  assertEquals(begun.length, 4); // The threads are still occupied.
  await finish();
  assertEquals(await last, [{ hostname: "127.0.0.3", port: 0 }]);
});

Deno.test("resolve() goes on after lookups that failed", async () => {
  const results = Array.from({ length: 6 }, () => resolve("1.2.3.4.5"));
  const settled = Promise.allSettled(results);
  await turn();
  await finish();
  assertEquals((await settled).map(({ status }) => status), Array(6).fill("rejected"));
  const result = resolve("127.0.0.1");
  await turn();
  await finish();
  assertEquals((await result).length, 1);
});

Deno.test("resolve() leaves no descriptor open, and lets the process end", async () => {
  const { code, stdout, stderr } = await runProgram(`
    const attempt = () => Promise.allSettled([
      sockets.resolve("localhost"),
      sockets.resolve("no-such-host.invalid"),
      sockets.resolve("localhost", { signal: AbortSignal.abort() }),
    ]);
    await attempt();
    ${COUNT_DESCRIPTORS}
    const before = countDescriptors();
    for (let i = 0; i < 5; i++) await attempt();
    console.log(countDescriptors() - before);
  `);
  assertEquals([code, stdout], [0, "0"], stderr);
});
