import { abi } from "../abi/mod.ts";
import { assertCString, assertInteger, assertInteger32, need } from "../checks.ts";
import { nameOf } from "../descriptor.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { cString } from "../memory.ts";
import { decodeCString } from "../text.ts";
import { FileDescriptor } from "./file_descriptor.ts";

const calls = libcCalls({
  inotify_init1: { parameters: ["i32"], result: "i32" },
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  inotify_rm_watch: { parameters: ["i32", "i32"], result: "i32" },
});

/** Room for some hundred events, and for one event with the longest possible name. */
const EVENTS = new Uint8Array(16 * 1024);

/**
 * A change to a watched file, or in a watched directory.
 *
 * @category File changes
 */
export interface InotifyEvent {
  /** The watch, as returned by {@linkcode InotifyDescriptor.watch}, or -1 for an overflow. */
  readonly wd: number;
  /** What happened: `IN_CREATE` and others, possibly together with `IN_ISDIR`. */
  readonly mask: number;
  /** A number that `IN_MOVED_FROM` and `IN_MOVED_TO` of one rename share; otherwise 0. */
  readonly cookie: number;
  /** The file's name in the watched directory; empty if the event is about the watched file. */
  readonly name: string;
}

/**
 * Watches files and directories for changes, with Linux's `inotify`. It is readable once there are
 * events.
 *
 * A watch on a directory reports what happens to its entries, but not what happens in its
 * subdirectories. If events come faster than they are read, the kernel drops some of them and adds
 * one whose mask is {@linkcode IN_Q_OVERFLOW}: look at the files themselves then. On a network file
 * system only changes by this machine are reported.
 *
 * @example Wait until a file was written
 * ```ts
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import { IN_CLOSE_WRITE, InotifyDescriptor } from "@readiness/selectors/fd";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * using inotify = new InotifyDescriptor();
 * const wd = inotify.watch(directory, IN_CLOSE_WRITE);
 * Deno.writeTextFileSync(`${directory}/note`, "hello");
 *
 * using selector = new DefaultSelector();
 * selector.register(inotify, EVENT_READ);
 * selector.select();
 * assertEquals(inotify.readEvents(), [{ wd, mask: IN_CLOSE_WRITE, cookie: 0, name: "note" }]);
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @category File changes
 */
export class InotifyDescriptor extends FileDescriptor {
  /**
   * Makes a descriptor without watches, non-blocking and close-on-exec.
   *
   * @throws {OSError} If `inotify_init1` fails, such as with `EMFILE`, also if the user has as many
   * as `/proc/sys/fs/inotify/max_user_instances` allows
   * @throws {Deno.errors.NotSupported} On a system other than Linux
   * @throws {Deno.errors.NotCapable} Without FFI permission
   */
  constructor() {
    super(createInotify());
  }

  /**
   * Watches a file or directory. If it is watched already, its watch gets the new mask.
   *
   * @param path The path
   * @param mask The events to report, `IN_CREATE` and others, ORed with options such as
   * `IN_ONLYDIR`
   * @returns The watch, which its events carry
   * @throws {TypeError} If `path` is not a string
   * @throws {RangeError} If `path` contains a NUL, or `mask` is zero or not a 32-bit integer
   * @throws {OSError} If `inotify_add_watch` fails, such as with `ENOENT`, `EACCES` or, if the user
   * has as many watches as `/proc/sys/fs/inotify/max_user_watches` allows, `ENOSPC`
   *
   * @example Usage
   * ```ts
   * import { IN_CREATE, IN_DELETE, InotifyDescriptor } from "@readiness/selectors/fd";
   *
   * using inotify = new InotifyDescriptor();
   * inotify.watch("/tmp", IN_CREATE | IN_DELETE);
   * ```
   */
  watch(path: string, mask: number): number {
    assertCString("Cannot watch a path: it", path);
    assertInteger32(`Cannot watch ${path}: the mask`, mask);
    if (mask === 0) throw new RangeError(`Cannot watch ${path}: the mask must not be 0`);
    const fd = this.fileno();
    const wd = calls().inotify_add_watch(fd, cString(path), mask >>> 0);
    if (wd < 0) {
      const attempt = `Cannot watch ${path} with ${nameOf(fd)}`;
      throw new OSError(attempt, "inotify_add_watch", lastErrno());
    }
    return wd;
  }

  /**
   * Removes a watch. Its last event is {@linkcode IN_IGNORED}.
   *
   * @param wd The watch
   * @throws {RangeError} If `wd` is not a 32-bit integer
   * @throws {OSError} If `inotify_rm_watch` fails, such as with `EINVAL` if there is no such watch,
   * also because the watched file is gone
   *
   * @example Usage
   * ```ts
   * import { IN_IGNORED, IN_MODIFY, InotifyDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * const directory = await Deno.makeTempDir();
   * using inotify = new InotifyDescriptor();
   * const wd = inotify.watch(directory, IN_MODIFY);
   * inotify.unwatch(wd);
   * assertEquals(inotify.readEvents(), [{ wd, mask: IN_IGNORED, cookie: 0, name: "" }]);
   * await Deno.remove(directory);
   * ```
   */
  unwatch(wd: number): void {
    assertInteger("Cannot remove a watch: it", wd);
    const fd = this.fileno();
    if (calls().inotify_rm_watch(fd, wd | 0) < 0) {
      const attempt = `Cannot remove watch ${wd} from ${nameOf(fd)}`;
      throw new OSError(attempt, "inotify_rm_watch", lastErrno());
    }
  }

  /**
   * Reads events, as many as one `read` returns.
   *
   * @returns The events in order, or an empty array if there are none. Bytes of a name that are not
   * UTF-8 become U+FFFD
   * @throws {OSError} If `read` fails, such as with `EBADF` once closed
   *
   * @example Usage
   * ```ts
   * import { IN_CREATE, InotifyDescriptor } from "@readiness/selectors/fd";
   * import { assertEquals } from "@std/assert";
   *
   * const directory = await Deno.makeTempDir();
   * using inotify = new InotifyDescriptor();
   * const wd = inotify.watch(directory, IN_CREATE);
   * assertEquals(inotify.readEvents(), []);
   * Deno.writeTextFileSync(`${directory}/note`, "");
   * assertEquals(inotify.readEvents(), [{ wd, mask: IN_CREATE, cookie: 0, name: "note" }]);
   * await Deno.remove(directory, { recursive: true });
   * ```
   */
  readEvents(): InotifyEvent[] {
    const size = super.read(EVENTS) ?? 0;
    const events: InotifyEvent[] = [];
    for (let at = 0; at < size;) {
      const { size: headSize, fields } = abi.inotify!.inotify_event;
      const view = new DataView(EVENTS.buffer, at);
      const nameSize = view.getUint32(fields.len[0], true);
      events.push({
        wd: view.getInt32(fields.wd[0], true),
        mask: view.getUint32(fields.mask[0], true),
        cookie: view.getUint32(fields.cookie[0], true),
        // The kernel pads the name with NULs.
        name: decodeCString(EVENTS.subarray(at + headSize, at + headSize + nameSize)),
      });
      at += headSize + nameSize;
    }
    return events;
  }
}

function createInotify(): number {
  const { constants } = need(abi.inotify, "Cannot make an InotifyDescriptor", "inotify");
  const fd = calls().inotify_init1(constants.IN_CLOEXEC | constants.IN_NONBLOCK);
  if (fd < 0) throw new OSError("Cannot watch files", "inotify_init1", lastErrno());
  return fd;
}
