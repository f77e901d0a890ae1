/** Memory in bytes. */
export interface Memory {
  /** The memory of JavaScript values, array buffers included. */
  readonly heap: number;
  /** The resident memory of the process. */
  readonly rss: number;
}

/** Returns what is used after a collection. Needs `--v8-flags=--expose-gc`. */
export function usedMemory(): Memory {
  for (let i = 0; i < 3; i++) (globalThis as unknown as { gc(): void }).gc();
  const { heapUsed, external, rss } = Deno.memoryUsage();
  return { heap: heapUsed + external, rss };
}

/** Prints the growth of memory per item. */
export function printGrowth(before: Memory, after: Memory, items: number): void {
  console.log(JSON.stringify({
    heap: (after.heap - before.heap) / items,
    rss: (after.rss - before.rss) / items,
  }));
}
