/** Tells what a wait found ready. */
export type Report = (fd: number, events: number) => void;

/** The sets of descriptors that `select` is given, in the form that a system takes. */
export interface DescriptorSets {
  /** `select`'s first argument; 0 while the sets are empty. */
  readonly limit: number;
  // What the call is given, and overwrites with its results.
  readonly read: Int32Array<ArrayBuffer>;
  readonly write: Int32Array<ArrayBuffer>;
  readonly except: Int32Array<ArrayBuffer> | null;
  /** Takes a descriptor in: 0, or the `errno` of the refusal. */
  add(fd: number, events: number): number;
  /** Changes the interest mask of a descriptor. */
  change(fd: number, to: number): void;
  /** Takes a descriptor out. */
  remove(fd: number): void;
  /** Writes what the next call is to be given. */
  prepare(): void;
  /** Reports each ready descriptor once, of as many results as the call counted. */
  collect(count: number, report: Report): void;
}
