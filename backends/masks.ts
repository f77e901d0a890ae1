import { EVENT_READ, EVENT_WRITE } from "./events.ts";

const ALL_EVENTS = EVENT_READ | EVENT_WRITE;

/**
 * Requires an interest mask.
 *
 * @throws {RangeError} If it is not `EVENT_READ`, `EVENT_WRITE` or both
 */
export function checkEvents(events: number): void {
  if (events !== EVENT_READ && events !== EVENT_WRITE && events !== ALL_EVENTS) {
    throw new RangeError(
      `Cannot use an interest mask: it must be EVENT_READ, EVENT_WRITE or both, received ${
        String(events)
      }`,
    );
  }
}
