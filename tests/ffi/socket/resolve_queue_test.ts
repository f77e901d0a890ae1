import { assertEquals, assertRejects } from "@std/assert";
import { COUNT_DESCRIPTORS, runProgram } from "../../support/subprocess.ts";

/** Lookups that are held back, each with what lets it go on. */
const held: (() => void)[] = [];

/** Whether lookups are held back, as if a name server did not answer. */
let holds = true;

const { dlopen } = Deno;
Deno.dlopen = ((path: string, declarations: Deno.ForeignLibraryInterface) => {
  const library = dlopen(path, declarations);
  const symbols = library.symbols as Record<string, unknown>;
  const call = symbols.getaddrinfoOffThread as
    | ((...args: unknown[]) => Promise<number>)
    | undefined;
  if (call === undefined) return library;
  const getaddrinfoOffThread = async (...args: unknown[]) => {
    if (holds) await new Promise<void>((resolve) => held.push(resolve));
    return await call(...args);
  };
  return { close: () => library.close(), symbols: { ...symbols, getaddrinfoOffThread } };
}) as typeof Deno.dlopen;

const { AF_INET, resolve } = await import("../../../ffi/socket/mod.ts");

/** Lets the microtasks and timers run that are due. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Lets all lookups go on until a promise is settled. */
async function finish<T>(promise: Promise<T>): Promise<T> {
  holds = false;
  held.splice(0).forEach((goOn) => goOn());
  try {
    return await promise;
  } finally {
    holds = true;
  }
}

Deno.test("resolve() looks up four names at once, and others wait for their turn", async () => {
  const results = Array.from({ length: 10 }, () => resolve("localhost"));
  await turn();
  assertEquals(held.length, 4);
  held.shift()!();
  const addresses = await results[0];
  await turn();
  assertEquals(held.length, 4);
  assertEquals(await finish(Promise.all(results)), Array(10).fill(addresses));
});

Deno.test("resolve() rejects at once when it is aborted, though the resolver goes on", async () => {
  const aborted = new AbortController();
  const results = Array.from(
    { length: 4 },
    () => resolve("localhost", { signal: aborted.signal }),
  );
  const queued = resolve("localhost", { signal: aborted.signal });
  const last = resolve("localhost", { family: AF_INET });
  assertEquals(await resolve("127.0.0.3"), [{ hostname: "127.0.0.3", port: 0 }]); // At once.
  await turn();
  aborted.abort(new Error("enough"));
  for (const result of [...results, queued]) {
    await assertRejects(() => result, Error, "enough");
  }
  await turn();
  assertEquals(held.length, 4); // The threads are still occupied.
  assertEquals(await finish(last), [{ hostname: "127.0.0.1", port: 0 }]);
});

Deno.test("resolve() goes on after lookups that failed", async () => {
  const results = Array.from({ length: 6 }, () => resolve("1.2.3.4.5"));
  const settled = await finish(Promise.allSettled(results));
  assertEquals(settled.map(({ status }) => status), Array(6).fill("rejected"));
  const addresses = await finish(resolve("localhost", { family: AF_INET }));
  assertEquals(addresses, [{ hostname: "127.0.0.1", port: 0 }]);
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
