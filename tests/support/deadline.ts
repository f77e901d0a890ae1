import { isQemu, isWine } from "./os.ts";

/** The longest wait of a test, in milliseconds: it fails instead of hanging. */
export const DEADLINE: number = isQemu || isWine ? 300_000 : 120_000;

/** Waits for a promise, and rejects when the deadline passes first. */
export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited too long for ${what}`)), DEADLINE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until a condition holds that nothing announces. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + DEADLINE;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
