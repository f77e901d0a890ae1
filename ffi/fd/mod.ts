/**
 * Descriptors that are not sockets: files and devices, pipes, terminals, timers, signals, events,
 * processes and file changes.
 *
 * @module
 */

export type { HasFileno } from "../descriptor.ts";
export { OSError } from "../errno.ts";
export { EventDescriptor } from "./event_descriptor.ts";
export { FileDescriptor, pipe } from "./file_descriptor.ts";
export * from "./inotify_descriptor.ts";
export { ProcessDescriptor, type SpawnStreams } from "./process_descriptor.ts";
export { SignalDescriptor, type SignalInfo } from "./signal_descriptor.ts";
export type { Signal } from "./signals.ts";
export {
  isTerminal,
  type LineSettings,
  openTerminal,
  type PseudoTerminal,
  pseudoTerminal,
  Terminal,
  type WindowSize,
} from "./terminal.ts";
export { TimerDescriptor } from "./timer_descriptor.ts";
