/**
 * What processes use, from Linux's /proc.
 *
 * @module
 */

import { inTime } from "./deadline.ts";

/** Returns the resident memory of a process, in bytes. */
export function memoryOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s*(\d+) kB/.exec(status)![1]) * 1024;
}

/** Returns the processor time that a process has used, in milliseconds. */
function cpuTimeOf(pid: number): number {
  // The third field follows the name, which is in parentheses.
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Waits until a process does nothing for a while. One that spins never does. */
export async function untilIdle(pid: number): Promise<void> {
  let isWaiting = true;
  const idling = (async () => {
    for (let before = -Infinity; isWaiting;) {
      const now = cpuTimeOf(pid);
      if (now - before <= 10) return; // The clock ticks every 10 ms.
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  })();
  try {
    await inTime(idling, `process ${pid} to do nothing`);
  } finally {
    isWaiting = false;
  }
}
