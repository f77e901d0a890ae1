/**
 * Descriptors that are not sockets, for use with a selector of
 * [`@readiness/selectors`](https://jsr.io/@readiness/selectors/doc). This program reads the output
 * of another:
 *
 * ```ts
 * import { whenReadable } from "@readiness/selectors";
 * import { ProcessDescriptor } from "@readiness/selectors/fd";
 *
 * using program = ProcessDescriptor.spawn("ls", ["/"], { stdout: "pipe" });
 * const { stdout } = program;
 * const buffer = new Uint8Array(4096);
 * // 0 is the end of the stream.
 * for (let size; (size = await whenReadable(stdout, () => stdout.read(buffer))) > 0;) {
 *   console.log(new TextDecoder().decode(buffer.subarray(0, size)));
 * }
 * console.log(await program.exited()); // { success: true, code: 0, signal: null }
 * ```
 *
 * The same with a selector, for at most ten seconds:
 *
 * ```ts
 * import { DefaultSelector, EVENT_READ } from "@readiness/selectors";
 * import { ProcessDescriptor, TimerDescriptor } from "@readiness/selectors/fd";
 *
 * using program = ProcessDescriptor.spawn("ls", ["/"], { stdout: "pipe" });
 * using timeout = new TimerDescriptor();
 * timeout.start(10_000);
 *
 * using selector = new DefaultSelector();
 * for (const file of [program.stdout, timeout]) selector.register(file, EVENT_READ);
 * const buffer = new Uint8Array(4096);
 * reading: for (;;) {
 *   for (const [{ fileobj }] of selector.select()) {
 *     if (fileobj === timeout) {
 *       program.sendSignal("SIGKILL");
 *       break reading;
 *     }
 *     const size = program.stdout.read(buffer);
 *     if (size === 0) break reading;
 *     if (size !== null) console.log(new TextDecoder().decode(buffer.subarray(0, size)));
 *   }
 * }
 * ```
 *
 * All descriptors that this package opens are non-blocking and close-on-exec. A call that can do
 * nothing now returns `null`: wait with a selector or with `whenReadable()`, and call again. The
 * garbage collector closes nothing: use `using` or `close()`.
 *
 * ## On every POSIX system
 *
 * - {@linkcode FileDescriptor}: any descriptor, such as an inherited one; `FileDescriptor.open()`
 *   opens files, devices and named pipes
 * - {@linkcode pipe}: makes a pipe, on Windows too
 * - {@linkcode ioctl}: controls a device
 * - {@linkcode Terminal}, {@linkcode openTerminal}, {@linkcode isTerminal}: terminals and serial
 *   lines
 * - {@linkcode pseudoTerminal}: a terminal for another program
 *
 * ## On Linux
 *
 * - {@linkcode ProcessDescriptor}: starts programs, on pipes or a terminal, and waits for their end
 * - {@linkcode TimerDescriptor}: a timer (timerfd)
 * - {@linkcode SignalDescriptor}: signals (signalfd)
 * - {@linkcode EventDescriptor}: a counter that wakes another thread or process (eventfd)
 * - {@linkcode InotifyDescriptor}: changes of files (inotify)
 *
 * Sockets are in [`@readiness/selectors/socket`](https://jsr.io/@readiness/selectors/doc/socket).
 *
 * @module
 */

export type { WaitOptions } from "../../backends/ready.ts";
export type { HasFileno } from "../descriptor.ts";
export { OSError } from "../errno.ts";
export { EventDescriptor } from "./event_descriptor.ts";
export { FileDescriptor } from "./file_descriptor.ts";
export * from "./inotify_constants.ts";
export { InotifyDescriptor, type InotifyEvent } from "./inotify_descriptor.ts";
export { ioctl } from "./ioctl.ts";
export type { LineSettings } from "./line_settings.ts";
export * from "./open_constants.ts";
export { type Pipe, pipe } from "./pipe.ts";
export { ProcessDescriptor } from "./process_descriptor.ts";
export { type PseudoTerminal, pseudoTerminal } from "./pseudo_terminal.ts";
export { SignalDescriptor, type SignalInfo } from "./signal_descriptor.ts";
export type { Signal } from "./signals.ts";
export type { SpawnOptions } from "./spawn.ts";
export type { SpawnStream, SpawnStreams } from "./spawn_streams.ts";
export { isTerminal, openTerminal, Terminal, type WindowSize } from "./terminal.ts";
export { TimerDescriptor } from "./timer_descriptor.ts";
export * from "./tun_constants.ts";
