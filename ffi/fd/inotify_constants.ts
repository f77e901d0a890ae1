/**
 * The bits of an inotify mask.
 *
 * @module
 */

import { abi } from "../abi/mod.ts";

const constants: Partial<NonNullable<typeof abi.inotify>["constants"]> = abi.inotify?.constants ??
  {};

/**
 * Event: a file was read. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_ACCESS: number = constants.IN_ACCESS ?? 0;

/**
 * Event: a file was written to or truncated. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_MODIFY: number = constants.IN_MODIFY ?? 0;

/**
 * Event: a file's permissions, times, links or owner changed. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_ATTRIB: number = constants.IN_ATTRIB ?? 0;

/**
 * Event: a file that was open for writing was closed. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_CLOSE_WRITE: number = constants.IN_CLOSE_WRITE ?? 0;

/**
 * Event: a file that was open for reading was closed. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_CLOSE_NOWRITE: number = constants.IN_CLOSE_NOWRITE ?? 0;

/**
 * Event: a file was opened. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_OPEN: number = constants.IN_OPEN ?? 0;

/**
 * Event: a file was moved out of the directory, or renamed from this name. 0 on a system without
 * inotify.
 *
 * @category File changes
 */
export const IN_MOVED_FROM: number = constants.IN_MOVED_FROM ?? 0;

/**
 * Event: a file was moved into the directory, or renamed to this name. 0 on a system without
 * inotify.
 *
 * @category File changes
 */
export const IN_MOVED_TO: number = constants.IN_MOVED_TO ?? 0;

/**
 * Event: a file was created in the directory. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_CREATE: number = constants.IN_CREATE ?? 0;

/**
 * Event: a file was removed from the directory. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_DELETE: number = constants.IN_DELETE ?? 0;

/**
 * Event: the watched file itself was removed. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_DELETE_SELF: number = constants.IN_DELETE_SELF ?? 0;

/**
 * Event: the watched file itself was moved or renamed. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_MOVE_SELF: number = constants.IN_MOVE_SELF ?? 0;

/**
 * All of the events above. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_ALL_EVENTS: number = constants.IN_ALL_EVENTS ?? 0;

/**
 * Always reported: the watch is over, because it was removed or its file is gone. 0 on a system
 * without inotify.
 *
 * @category File changes
 */
export const IN_IGNORED: number = constants.IN_IGNORED ?? 0;

/**
 * Reported with another bit: the file is a directory. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_ISDIR: number = constants.IN_ISDIR ?? 0;

/**
 * Always reported: events were dropped. The watch is -1. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_Q_OVERFLOW: number = constants.IN_Q_OVERFLOW ?? 0;

/**
 * Always reported: the watched file's file system was unmounted. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_UNMOUNT: number = constants.IN_UNMOUNT ?? 0;

/**
 * Option: watch a symbolic link itself. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_DONT_FOLLOW: number = constants.IN_DONT_FOLLOW ?? 0;

/**
 * Option: ignore files that were removed but are still open. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_EXCL_UNLINK: number = constants.IN_EXCL_UNLINK ?? 0;

/**
 * Option: add to the mask of a path that is watched already. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_MASK_ADD: number = constants.IN_MASK_ADD ?? 0;

/**
 * Option: remove the watch after its first event. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_ONESHOT: number = constants.IN_ONESHOT ?? 0;

/**
 * Option: refuse a path that is not a directory. 0 on a system without inotify.
 *
 * @category File changes
 */
export const IN_ONLYDIR: number = constants.IN_ONLYDIR ?? 0;
