/**
 * Ready to read: data, a connection to accept, or the end of the stream. `1`.
 *
 * @category Events and modes
 */
export const EVENT_READ = 1;

/**
 * Ready to write: there is room, or an attempt to connect has ended. `2`.
 *
 * @category Events and modes
 */
export const EVENT_WRITE = 2;

/**
 * Urgent data, or an exceptional condition of a device. `4`.
 *
 * {@linkcode EpollSelector}, {@linkcode PollSelector}, {@linkcode SelectSelector} and
 * {@linkcode DevpollSelector} support it; {@linkcode KqueueSelector} does on macOS and OpenBSD.
 *
 * @example The edges of a GPIO line, through sysfs
 * ```ts ignore
 * import { EVENT_PRIORITY, ready } from "@readiness/selectors";
 * import { FileDescriptor } from "@readiness/selectors/fd";
 *
 * // After: echo 17 > /sys/class/gpio/export; echo both > /sys/class/gpio/gpio17/edge
 * const path = "/sys/class/gpio/gpio17/value";
 * const buffer = new Uint8Array(2);
 * for (;;) {
 *   using value = FileDescriptor.open(path); // A read from the start takes the event.
 *   value.read(buffer);
 *   await ready(value, EVENT_PRIORITY);
 *   console.log("an edge");
 * }
 * ```
 *
 * @category Events and modes
 */
export const EVENT_PRIORITY = 4;

/**
 * The peer will send no more, or the connection is gone. `8`. It is reported without reading, and
 * also when it is the only event that was asked for.
 *
 * @category Events and modes
 */
export const EVENT_HANGUP = 8;

/**
 * A mode: events are reported when something new happens, not for as long as it lasts. `256`.
 *
 * @category Events and modes
 */
export const EDGE_TRIGGERED = 256;

/**
 * A mode: a key is reported once, then not again until `modify` is called. `512`.
 *
 * @category Events and modes
 */
export const ONE_SHOT = 512;

/**
 * A mode: of several selectors that watch one descriptor, only one or a few are woken. `1024`. This
 * holds for `select`. More asynchronous waits may be woken, since the kernel counts only the waits
 * on the selector itself.
 *
 * @category Events and modes
 */
export const EXCLUSIVE = 1024;
