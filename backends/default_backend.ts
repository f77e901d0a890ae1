import { abi } from "../ffi/abi/mod.ts";
import { OSError } from "../ffi/errno.ts";
import type { OffThreadBackend } from "./backend.ts";
import { DevpollBackend } from "./devpoll.ts";
import { EpollBackend } from "./epoll.ts";
import { KqueueBackend } from "./kqueue.ts";
import { PollBackend } from "./poll.ts";
import { SelectBackend } from "./select.ts";

const { ENOSYS, EPERM } = abi.errno;

/** Every backend of the system, the best first, but not `WSAPoll`: it can keep a processor busy. */
const factories: readonly (() => OffThreadBackend)[] = [
  ...abi.kqueue === undefined ? [] : [() => new KqueueBackend(undefined, undefined)],
  ...abi.devpoll === undefined ? [] : [() => new DevpollBackend(undefined)],
  ...abi.epoll === undefined ? [] : [() => new EpollBackend()],
  ...abi.winsock === undefined ? [() => new PollBackend()] : [],
  () => new SelectBackend(),
];

/**
 * Makes the best backend of this machine.
 *
 * @throws {OSError} If the system refuses it for now, such as with `EMFILE`
 */
export function createBackend(): OffThreadBackend {
  for (const create of factories) {
    try {
      return create();
    } catch (error) {
      // A filter of system calls may refuse this backend, but not the next one.
      if (!(error instanceof OSError) || error.errno !== ENOSYS && error.errno !== EPERM) {
        throw error;
      }
    }
  }
  throw new Deno.errors.NotSupported("Cannot wait: no system call of this machine can be used");
}
