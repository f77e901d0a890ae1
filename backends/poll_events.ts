import { UNASKED } from "./backend.ts";
import { EVENT_HANGUP, EVENT_PRIORITY, EVENT_READ, EVENT_WRITE } from "./events.ts";

// The masks of poll, epoll and /dev/poll have the same form, each with its own numbers: `input`,
// `output`, `priority`, and `end` for the end of the peer's data.

/** Returns the mask of such a call for an interest mask. */
export function toPoll(
  events: number,
  input: number,
  output: number,
  priority: number,
  end: number,
): number {
  return (events & EVENT_READ ? input : 0) | (events & EVENT_WRITE ? output : 0) |
    (events & EVENT_PRIORITY ? priority : 0) | (events & EVENT_HANGUP ? end : 0);
}

/**
 * Returns the events of a mask that such a call reported. All bits but the four stand for an error
 * or a full hang-up, which counts as every event but `EVENT_PRIORITY`.
 */
export function fromPoll(
  mask: number,
  input: number,
  output: number,
  priority: number,
  end: number,
): number {
  const events = (mask & input ? EVENT_READ : 0) | (mask & output ? EVENT_WRITE : 0);
  const rest = mask & ~(input | output);
  if (rest === 0) return events;
  return events | (rest & priority ? EVENT_PRIORITY : 0) |
    (rest & end ? EVENT_READ | EVENT_HANGUP : 0) |
    (rest & ~(priority | end) ? EVENT_READ | EVENT_WRITE | EVENT_HANGUP | UNASKED : 0);
}
