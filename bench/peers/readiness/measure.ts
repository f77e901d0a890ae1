import { cpuUsage } from "node:process";

/**
 * Measures as each peer does: calls to warm up for as long as is given, then as many again, which
 * count. Prints nanoseconds a time.
 *
 * @param work Does its work as many times as it is told
 * @param ms For how long, in milliseconds
 */
export function measure(work: (n: number) => void, ms: number): void {
  let n = 1;
  const start = performance.now();
  while (performance.now() - start < ms) {
    const before = performance.now();
    work(n);
    if (performance.now() - before < 2) n *= 2; // Chunks of some milliseconds.
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
