import type { BackendOwner } from "./backend.ts";

/** The sets of descriptors that `select` is called with, in a system's own form. */
export interface DescriptorSets {
  /** `select`'s first argument; 0 while the sets are empty. */
  readonly limit: number;
  // The arguments of the call, which it overwrites with its results.
  readonly read: Int32Array<ArrayBuffer>;
  readonly write: Int32Array<ArrayBuffer>;
  readonly except: Int32Array<ArrayBuffer> | null;
  /** Adds a descriptor: 0, or the negated `errno`. */
  add(fd: number, events: number): number;
  /** Changes the interest mask of a descriptor. */
  change(fd: number, to: number): void;
  /** Removes a descriptor. */
  remove(fd: number): void;
  /** Fills in the arguments of the next call. */
  prepare(): void;
  /** Reports each ready descriptor once; `count` is the number of results of the call. */
  collect(count: number, owner: BackendOwner): void;
}
