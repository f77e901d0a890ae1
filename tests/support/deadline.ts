import { isQemu, isWine } from "./os.ts";

/** The longest wait of a test, in milliseconds: it fails instead of hanging. */
const DEADLINE = isQemu || isWine ? 120_000 : 30_000;

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
