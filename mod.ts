/**
 * Python's `selectors` for Deno: waits until many descriptors are ready for reading or writing,
 * through epoll, kqueue, /dev/poll, poll or select, called in the system's own libc.
 *
 * @module
 */

export { type BackendTraits, BaseSelector, type SelectAsyncOptions } from "./backends/base.ts";
export { DefaultSelector, type SelectorClass } from "./backends/default.ts";
export { DevpollSelector, type DevpollSelectorOptions } from "./backends/devpoll.ts";
export { EpollSelector } from "./backends/epoll.ts";
export { EVENT_READ, EVENT_WRITE } from "./backends/events.ts";
export {
  type FileObject,
  type HasFileno,
  KeyError,
  type ReadyEvent,
  type SelectorKey,
} from "./backends/key.ts";
export {
  type KqueueLayout,
  KqueueSelector,
  type KqueueSelectorOptions,
} from "./backends/kqueue.ts";
export { PollSelector } from "./backends/poll.ts";
export { SelectSelector } from "./backends/select.ts";
export { SelectorMap } from "./backends/selector_map.ts";
export { wake, type Waker } from "./backends/waker.ts";
export { OSError } from "./ffi/errno.ts";
