import { cpuUsage } from "node:process";

/**
 * Measures as every peer does: warms up for the given time, then measures for as long. Prints
 * nanoseconds per operation.
 *
 * @param work Does the operation `n` times
 * @param ms How long to warm up and to measure, in milliseconds
 */
export function measure(work: (n: number) => void, ms: number): void {
  let n = 1;
  const start = performance.now();
  while (performance.now() - start < ms) {
    const before = performance.now();
    work(n);
    if (performance.now() - before < 2) n *= 2; // Chunks of a few milliseconds.
  }
  let times = 0;
  const cpuBefore = cpuUsage();
  const before = performance.now();
  let wall: number;
  do {
    work(n);
    times += n;
    wall = performance.now() - before;
  } while (wall < ms);
  const { user, system } = cpuUsage(cpuBefore);
  console.log(JSON.stringify({ cpu: (user + system) * 1e3 / times, wall: wall * 1e6 / times }));
}
