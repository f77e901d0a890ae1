import { abi, NOTHING } from "../abi/mod.ts";

/**
 * A signal by its name, or by its number, since real-time signals have no names.
 *
 * @category Timers, signals and events
 */
export type Signal = Deno.Signal | number;

/** The highest signal number, that of a real-time signal. */
export const MAX_SIGNAL = 64;

/**
 * Returns the number of a signal.
 *
 * @param signal The signal
 * @param attempt What cannot be done without it, for the message
 * @throws {TypeError} If it is neither a name that this system has nor a number
 * @throws {RangeError} If it is a number that no signal has
 */
export function signalNumber(signal: Signal, attempt: string): number {
  if (typeof signal === "number") {
    if (Number.isInteger(signal) && signal >= 1 && signal <= MAX_SIGNAL) return signal;
    throw new RangeError(
      `Cannot ${attempt}: a signal's number must be an integer from 1 to ${MAX_SIGNAL}, ` +
        `received ${signal}`,
    );
  }
  for (const [name, number] of signals()) if (name === signal) return number;
  throw new TypeError(`Cannot ${attempt}: this system has no signal ${String(signal)}`);
}

/** Returns the name of a signal, or `null` for a real-time signal. */
export function signalName(number: number): Deno.Signal | null {
  for (const [name, value] of signals()) if (value === number) return name as Deno.Signal;
  return null;
}

/** Makes C's `sigset_t`, as large as the largest of any system. */
export function signalSet(numbers: Iterable<number>): BigUint64Array<ArrayBuffer> {
  const set = new BigUint64Array(new ArrayBuffer(128));
  for (const number of numbers) set[0]! |= 1n << BigInt(number - 1);
  return set;
}

function signals(): [name: string, number: number][] {
  return Object.entries(abi.signals?.constants ?? NOTHING);
}
