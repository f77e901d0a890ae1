import { describeValue } from "../ffi/checks.ts";
import {
  EDGE_TRIGGERED,
  EVENT_HANGUP,
  EVENT_PRIORITY,
  EVENT_READ,
  EVENT_WRITE,
  EXCLUSIVE,
  ONE_SHOT,
} from "./events.ts";

/** Python's two events, which every backend supports. */
export const READ_WRITE: number = EVENT_READ | EVENT_WRITE;

/** Every event. */
export const ALL_EVENTS: number = READ_WRITE | EVENT_PRIORITY | EVENT_HANGUP;

/** Every event and mode. */
export const ALL_BITS: number = ALL_EVENTS | EDGE_TRIGGERED | ONE_SHOT | EXCLUSIVE;

const NAMES = {
  EVENT_READ,
  EVENT_WRITE,
  EVENT_PRIORITY,
  EVENT_HANGUP,
  EDGE_TRIGGERED,
  ONE_SHOT,
  EXCLUSIVE,
};

/** Each event and mode. */
export const BITS: readonly number[] = Object.values(NAMES);

/** Returns whether a value is a mask of bits with at least one event. */
export function isMask(events: number, bits: number): boolean {
  return Number.isInteger(events) && (events & ~bits) === 0 && (events & ALL_EVENTS) !== 0 &&
    events <= bits;
}

/**
 * Requires an interest mask.
 *
 * @param events The mask
 * @param bits The events and modes that it may have
 * @throws {RangeError} If it has other bits, or no event
 */
export function checkEvents(events: number, bits: number): void {
  if (!isMask(events, bits)) {
    throw new RangeError(
      `Cannot use an interest mask: it must be one or more of ${namesOf(bits)}, ` +
        `with at least one event, received ${describeValue(events)}`,
    );
  }
}

/** Returns the names of the bits of a mask. */
export function namesOf(events: number): string {
  const names = Object.entries(NAMES).filter(([, bit]) => events & bit).map(([name]) => name);
  return names.join(" | ");
}
