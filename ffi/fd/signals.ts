import { abi } from "../abi/host.ts";

/** A signal by its name, or by its number, as the real-time ones have no names. */
export type Signal = Deno.Signal | number;

/** The highest number that a signal has, of the real-time ones. */
const MAX_SIGNAL = 64;

/**
 * Finds a signal's number.
 *
 * @param signal The signal
 * @param attempt What cannot be done if there is none, for the message
 * @throws {TypeError} If it is neither a name of this system nor a number
 * @throws {RangeError} If it is no number of a signal
 */
export function signalNumber(signal: Signal, attempt: string): number {
  if (typeof signal === "number") {
    if (Number.isInteger(signal) && signal >= 1 && signal <= MAX_SIGNAL) return signal;
    throw new RangeError(
      `Cannot ${attempt}: a signal's number must be an integer from 1 to ${MAX_SIGNAL}, ` +
        `received ${signal}`,
    );
  }
  const numbers: Record<string, number> = { ...abi.signals?.constants };
  if (typeof signal === "string" && Object.hasOwn(numbers, signal)) return numbers[signal];
  throw new TypeError(
    `Cannot ${attempt}: this system has no signal ${String(signal)}`,
  );
}

/** Finds a signal's name; a real-time one has none. */
export function signalName(number: number): Deno.Signal | null {
  for (const [name, value] of Object.entries(abi.signals?.constants ?? {})) {
    if (value === number) return name as Deno.Signal;
  }
  return null;
}

/** Makes C's set of signals, as large as any system's. */
export function signalSet(numbers: Iterable<number>): BigUint64Array<ArrayBuffer> {
  const set = new BigUint64Array(new ArrayBuffer(128));
  for (const number of numbers) set[0] |= 1n << BigInt(number - 1);
  return set;
}
