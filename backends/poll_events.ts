import { EVENT_READ, EVENT_WRITE } from "./events.ts";

/** A mask of `poll`'s kind (poll, epoll, /dev/poll, each with its own numbers) for an interest mask. */
export function toPoll(events: number, input: number, output: number): number {
  return (events & EVENT_READ ? input : 0) | (events & EVENT_WRITE ? output : 0);
}

/** Readiness from such a mask: whatever else it tells (error, hang-up) counts as both. */
export function fromPoll(mask: number, input: number, output: number): number {
  return (mask & ~output ? EVENT_READ : 0) | (mask & ~input ? EVENT_WRITE : 0);
}
