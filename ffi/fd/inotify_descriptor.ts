import { abi } from "../abi/host.ts";
import { nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { cString } from "../memory.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { need } from "../checks.ts";

const calls = libcCalls({
  inotify_init1: { parameters: ["i32"], result: "i32" },
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  inotify_rm_watch: { parameters: ["i32", "i32"], result: "i32" },
});

/** Room for some hundred events, and for one whose name is as long as names can be. */
const EVENTS = new Uint8Array(16 * 1024);

/** Something happened to a watched file, or in a watched folder. */
export interface InotifyEvent {
  /** The watch whose event it is, as {@linkcode InotifyDescriptor.watch} returned it; else -1. */
  readonly wd: number;
  /** What happened: `IN_CREATE` and others. Zero or more of the bits, `IN_ISDIR` beside them. */
  readonly mask: number;
  /** What `IN_MOVED_FROM` and `IN_MOVED_TO` of one renaming have in common; else 0. */
  readonly cookie: number;
  /** The file's name in the watched folder; empty if the event is of what is watched itself. */
  readonly name: string;
}

/**
 * Linux's watches on files and folders (`inotify`): readable when something happened.
 *
 * A folder's watch tells of what is in it, and not of what is in the folders below. Where events
 * come faster than they are read, the system drops some and says so by one whose mask is
 * {@linkcode IN_Q_OVERFLOW}: look at the files themselves then. Network file systems tell only what
 * this machine does.
 *
 * @example
 * ```ts
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import { IN_CLOSE_WRITE, InotifyDescriptor } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * using inotify = new InotifyDescriptor();
 * const wd = inotify.watch(folder, IN_CLOSE_WRITE);
 * Deno.writeTextFileSync(`${folder}/note`, "hello");
 *
 * using selector = new DefaultSelector();
 * selector.register(inotify, EVENT_READ);
 * selector.select();
 * assertEquals(inotify.readEvents(), [{ wd, mask: IN_CLOSE_WRITE, cookie: 0, name: "note" }]);
 * ```
 */
export class InotifyDescriptor extends FileDescriptor {
  /**
   * Makes a descriptor that watches nothing yet, non-blocking and close-on-exec.
   *
   * @throws {OSError} If the system refuses (`inotify_init1`), such as with `EMFILE`, also when the
   * user has as many as `/proc/sys/fs/inotify/max_user_instances` says
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor() {
    super(createInotify());
  }

  /**
   * Watches a file or folder. One that is watched already gets the new mask, and keeps its watch.
   *
   * @param path The path
   * @param mask What to tell of: `IN_CREATE` and others, ORed; `IN_ONLYDIR` and other options too
   * @returns The watch, which its events name
   * @throws {TypeError} If the path is no string
   * @throws {RangeError} If the path holds a NUL, or the mask is zero or no 32-bit integer
   * @throws {OSError} If the system refuses (`inotify_add_watch`), such as with `ENOENT`, `EACCES`
   * or, when the user has as many as `/proc/sys/fs/inotify/max_user_watches` says, `ENOSPC`
   */
  watch(path: string, mask: number): number {
    if (typeof path !== "string") {
      throw new TypeError(`Cannot watch a path: it must be a string, received ${String(path)}`);
    }
    if (path.includes("\0")) throw new RangeError("Cannot watch a path: it must not hold a NUL");
    if (!Number.isInteger(mask) || mask >>> 0 === 0 || mask < -(2 ** 31) || mask >= 2 ** 32) {
      throw new RangeError(
        `Cannot watch ${path}: the mask must be a 32-bit integer other than 0, ` +
          `received ${String(mask)}`,
      );
    }
    const wd = calls().inotify_add_watch(this.fileno(), cString(path), mask >>> 0);
    if (wd < 0) {
      throw new OSError(
        `Cannot watch ${path} with ${nameOf(this.fileno())}`,
        "inotify_add_watch",
        lastErrno(),
      );
    }
    return wd;
  }

  /**
   * Ends a watch. A last event of it follows, {@linkcode IN_IGNORED}.
   *
   * @param wd The watch
   * @throws {RangeError} If it is no 32-bit integer
   * @throws {OSError} If the system refuses (`inotify_rm_watch`), such as with `EINVAL` if there is
   * no such watch any more, as what it watched is gone
   */
  unwatch(wd: number): void {
    if (wd !== (wd | 0)) {
      throw new RangeError(
        `Cannot end a watch: it must be a 32-bit integer, received ${String(wd)}`,
      );
    }
    if (calls().inotify_rm_watch(this.fileno(), wd) < 0) {
      throw new OSError(
        `Cannot end watch ${wd} of ${nameOf(this.fileno())}`,
        "inotify_rm_watch",
        lastErrno(),
      );
    }
  }

  /**
   * Reads what has happened, as much of it as one `read` gives.
   *
   * @returns The events in their order, none if nothing has happened. A name that is not UTF-8 has
   * U+FFFD in it
   * @throws {OSError} If the system refuses (`read`), such as with `EBADF` once closed
   */
  readEvents(): InotifyEvent[] {
    const size = this.read(EVENTS) ?? 0;
    const events: InotifyEvent[] = [];
    for (let at = 0; at < size;) {
      const { size: headSize, fields } = abi.inotify!.inotify_event;
      const view = new DataView(EVENTS.buffer, at);
      const nameSize = view.getUint32(fields.len[0], true);
      events.push({
        wd: view.getInt32(fields.wd[0], true),
        mask: view.getUint32(fields.mask[0], true),
        cookie: view.getUint32(fields.cookie[0], true),
        name: decodeName(EVENTS.subarray(at + headSize, at + headSize + nameSize)),
      });
      at += headSize + nameSize;
    }
    return events;
  }
}

function createInotify(): number {
  const { constants } = need(abi.inotify, "Cannot make an InotifyDescriptor", "inotify");
  const fd = calls().inotify_init1(constants.IN_CLOEXEC | constants.IN_NONBLOCK);
  if (fd < 0) throw new OSError("Cannot make watches on files", "inotify_init1", lastErrno());
  return fd;
}

/** Decodes a name, behind which there are NULs up to the next event. */
function decodeName(bytes: Uint8Array<ArrayBuffer>): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

const constants: Partial<NonNullable<typeof abi.inotify>["constants"]> = abi.inotify?.constants ??
  {};

/** Event: a file was read. 0 where there is no inotify. */
export const IN_ACCESS: number = constants.IN_ACCESS ?? 0;

/** Event: a file was written to or cut. 0 where there is no inotify. */
export const IN_MODIFY: number = constants.IN_MODIFY ?? 0;

/** Event: a file has other permissions, times, links or owners. 0 where there is no inotify. */
export const IN_ATTRIB: number = constants.IN_ATTRIB ?? 0;

/** Event: a file was open for writing and is closed. 0 where there is no inotify. */
export const IN_CLOSE_WRITE: number = constants.IN_CLOSE_WRITE ?? 0;

/** Event: a file was open for reading and is closed. 0 where there is no inotify. */
export const IN_CLOSE_NOWRITE: number = constants.IN_CLOSE_NOWRITE ?? 0;

/** Event: a file was opened. 0 where there is no inotify. */
export const IN_OPEN: number = constants.IN_OPEN ?? 0;

/** Event: a file was moved out of the folder, or renamed from this name. 0 where there is no inotify. */
export const IN_MOVED_FROM: number = constants.IN_MOVED_FROM ?? 0;

/** Event: a file was moved into the folder, or renamed to this name. 0 where there is no inotify. */
export const IN_MOVED_TO: number = constants.IN_MOVED_TO ?? 0;

/** Event: a file was made in the folder. 0 where there is no inotify. */
export const IN_CREATE: number = constants.IN_CREATE ?? 0;

/** Event: a file was removed from the folder. 0 where there is no inotify. */
export const IN_DELETE: number = constants.IN_DELETE ?? 0;

/** Event: what is watched itself was removed. 0 where there is no inotify. */
export const IN_DELETE_SELF: number = constants.IN_DELETE_SELF ?? 0;

/** Event: what is watched itself was moved or renamed. 0 where there is no inotify. */
export const IN_MOVE_SELF: number = constants.IN_MOVE_SELF ?? 0;

/** Event: all of those above, to watch for. 0 where there is no inotify. */
export const IN_ALL_EVENTS: number = constants.IN_ALL_EVENTS ?? 0;

/** Told unasked: the watch is over: it was ended, or what it watched is gone. 0 where there is no inotify. */
export const IN_IGNORED: number = constants.IN_IGNORED ?? 0;

/** Told unasked: beside another bit: it is a folder. 0 where there is no inotify. */
export const IN_ISDIR: number = constants.IN_ISDIR ?? 0;

/** Told unasked: some events were dropped; its watch is -1. 0 where there is no inotify. */
export const IN_Q_OVERFLOW: number = constants.IN_Q_OVERFLOW ?? 0;

/** Told unasked: the file system of what is watched was unmounted. 0 where there is no inotify. */
export const IN_UNMOUNT: number = constants.IN_UNMOUNT ?? 0;

/** Option: watch a symbolic link itself. 0 where there is no inotify. */
export const IN_DONT_FOLLOW: number = constants.IN_DONT_FOLLOW ?? 0;

/** Option: tell nothing of files that are removed and still open. 0 where there is no inotify. */
export const IN_EXCL_UNLINK: number = constants.IN_EXCL_UNLINK ?? 0;

/** Option: add to the mask of a path that is watched already. 0 where there is no inotify. */
export const IN_MASK_ADD: number = constants.IN_MASK_ADD ?? 0;

/** Option: end the watch with its first event. 0 where there is no inotify. */
export const IN_ONESHOT: number = constants.IN_ONESHOT ?? 0;

/** Option: refuse what is no folder. 0 where there is no inotify. */
export const IN_ONLYDIR: number = constants.IN_ONLYDIR ?? 0;
