import { EpollSelector, PollSelector, type SelectorClass, SelectSelector } from "../../../mod.ts";

/** The selector classes that the bench compares, by name. */
export const BACKENDS: Record<string, SelectorClass> = {
  epoll: EpollSelector,
  poll: PollSelector,
  select: SelectSelector,
};
