import { EpollSelector, PollSelector, type SelectorClass, SelectSelector } from "../../../mod.ts";

/** The selectors that are measured, by name. */
export const BACKENDS: Record<string, SelectorClass> = {
  epoll: EpollSelector,
  poll: PollSelector,
  select: SelectSelector,
};
