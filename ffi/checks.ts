/**
 * Checks of arguments, and of what the system has. Each takes the beginning of its error message
 * first: what cannot be done, and which value is wrong, such as `"Cannot listen: the backlog"`.
 *
 * @module
 */

/** The range of a C `int`. */
const MIN_INT = -0x8000_0000;
const MAX_INT = 0x7fff_ffff;

/**
 * Requires an integer. Pass `value | 0` to the system: Deno's FFI refuses -0, which is an integer.
 *
 * @param subject The beginning of the message
 * @param value The value
 * @param min The least that it may be: that of a C `int` by default
 * @param max The most that it may be: that of a C `int` by default
 * @throws {RangeError} If it is not an integer in that range
 */
export function assertInteger(
  subject: string,
  value: number,
  min: number = MIN_INT,
  max: number = MAX_INT,
): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `${subject} must be an integer from ${min} to ${max}, received ${describeValue(value)}`,
    );
  }
}

/**
 * Requires an integer of 32 bits, with or without a sign.
 *
 * @param subject The beginning of the message
 * @param value The value
 * @throws {RangeError} If it is not such an integer
 */
export function assertInteger32(subject: string, value: number): void {
  if (!Number.isInteger(value) || value < MIN_INT || value > 0xffff_ffff) {
    throw new RangeError(`${subject} must be a 32-bit integer, received ${describeValue(value)}`);
  }
}

/**
 * Reads flags, which a C `int` must be able to hold: Deno's compiled FFI calls would convert
 * anything else without an error.
 *
 * @param subject The beginning of the message
 * @param flags The flags, ORed, or `undefined`
 * @returns The flags, 0 for `undefined`
 * @throws {RangeError} If they are not a 32-bit integer
 */
export function readFlags(subject: string, flags: number | undefined): number {
  if (flags === undefined) return 0;
  if (flags !== 0) assertInteger(subject, flags);
  return flags | 0;
}

/**
 * Requires what can be a descriptor.
 *
 * @param subject The beginning of the message
 * @param fd The descriptor
 * @throws {TypeError} If it is not a number
 * @throws {RangeError} If it is negative, fractional or too large
 */
export function assertDescriptor(subject: string, fd: number): void {
  if (typeof fd !== "number") {
    throw new TypeError(`${subject} must be a number, received ${describeValue(fd)}`);
  }
  assertInteger(subject, fd, 0);
}

/**
 * Requires bytes.
 *
 * @param subject The beginning of the message
 * @param value The value
 * @throws {TypeError} If it is not a `Uint8Array`
 */
export function assertBytes(subject: string, value: unknown): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`${subject} must be a Uint8Array, received ${describeValue(value)}`);
  }
}

/**
 * Requires a string.
 *
 * @param subject The beginning of the message
 * @param value The value
 * @throws {TypeError} If it is not a string
 */
export function assertString(subject: string, value: unknown): asserts value is string {
  if (typeof value !== "string") {
    throw new TypeError(`${subject} must be a string, received ${describeValue(value)}`);
  }
}

/**
 * Requires a string that C can take: a path, a name, an argument.
 *
 * @param subject The beginning of the message
 * @param value The value
 * @throws {TypeError} If it is not a string
 * @throws {RangeError} If it contains a NUL, where it would end for C, or is not well-formed
 */
export function assertCString(subject: string, value: unknown): asserts value is string {
  assertString(subject, value);
  assertWellFormed(subject, value);
  if (value.includes("\0")) throw new RangeError(`${subject} must not contain a NUL`);
}

/**
 * Requires a string that can be encoded as UTF-8: without half of a surrogate pair, which would
 * become U+FFFD, and so another name.
 *
 * @param subject The beginning of the message
 * @param value The string
 * @throws {RangeError} If it is not well-formed
 */
export function assertWellFormed(subject: string, value: string): void {
  if (!value.isWellFormed()) throw new RangeError(`${subject} must be well-formed Unicode`);
}

/**
 * Requires a boolean.
 *
 * @param subject The beginning of the message
 * @param value The value
 * @throws {TypeError} If it is not a boolean
 */
export function assertBoolean(subject: string, value: unknown): asserts value is boolean {
  if (typeof value !== "boolean") {
    throw new TypeError(`${subject} must be a boolean, received ${describeValue(value)}`);
  }
}

/**
 * Requires an array, as anything else could be taken for an empty one.
 *
 * @param subject The beginning of the message
 * @param value The value
 * @throws {TypeError} If it is not an array
 */
export function assertArray(subject: string, value: unknown): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new TypeError(`${subject} must be an array, received ${describeValue(value)}`);
  }
}

const NO_OPTIONS: object = Object.freeze(Object.create(null));

/**
 * Reads the options of a function, each once, so that no getter can return another value later.
 * `Object.prototype` has none: it may be polluted.
 *
 * @param attempt What cannot be done, such as `"Cannot send a message"`
 * @param options The options as given
 * @param names The names of the options
 * @returns Those that are there, in an object without a prototype
 * @throws {TypeError} If the options are not an object, or are another object by mistake,
 * such as a socket
 */
export function readOptions<T extends object, Name extends keyof T>(
  attempt: string,
  options: T | null | undefined,
  names: readonly Name[],
): Pick<T, Name> {
  if (options === undefined || options === null) return NO_OPTIONS as Pick<T, Name>;
  const found: Pick<T, Name> = Object.create(null);
  let isEmpty = true;
  if (typeof options === "object") {
    for (const name of names) {
      if (hasProperty(options, name)) {
        found[name] = options[name];
        isEmpty = false;
      }
    }
  }
  if (isEmpty) assertPlain(`${attempt}: the options`, options);
  return found;
}

/**
 * Reads the signal among the options of a function, as {@linkcode readOptions} does.
 *
 * @param attempt What cannot be done, such as `"Cannot resolve a name"`
 * @param options The options as given
 * @returns The signal, or `undefined` if there is none
 * @throws {TypeError} If the signal is not an `AbortSignal`, or the options are not options
 */
export function signalOf(
  attempt: string,
  options: { readonly signal?: AbortSignal } | null | undefined,
): AbortSignal | undefined {
  if (options === undefined || options === null) return undefined;
  const { signal } = readOptions(attempt, options, ["signal"]);
  assertSignal(attempt, signal);
  return signal;
}

/**
 * Requires a signal, or none.
 *
 * @param attempt What cannot be done, such as `"Cannot resolve a name"`
 * @param signal The signal
 * @throws {TypeError} If it is neither an `AbortSignal` nor left out
 */
export function assertSignal(attempt: string, signal: AbortSignal | undefined): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(
      `${attempt}: the signal must be an AbortSignal, received ${describeValue(signal)}`,
    );
  }
}

/**
 * Requires a plain object, as one of a class could have nothing to read, such as a `Map`.
 *
 * @param subject The beginning of the message
 * @param value The value
 * @throws {TypeError} If it is not an object, or one of a class
 */
export function assertPlain(subject: string, value: unknown): asserts value is object {
  const prototype = typeof value === "object" && value !== null
    ? Object.getPrototypeOf(value)
    : undefined;
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${subject} must be a plain object, received ${describeValue(value)}`);
  }
}

/**
 * Returns whether an object has a property, its own or inherited, but not from `Object.prototype`,
 * which may be polluted.
 *
 * @param object The object
 * @param name The name of the property
 * @returns Whether it has it
 */
export function hasProperty(object: object, name: PropertyKey): boolean {
  for (
    let holder = object;
    holder !== null && holder !== Object.prototype;
    holder = Object.getPrototypeOf(holder)
  ) {
    if (Object.hasOwn(holder, name)) return true;
  }
  return false;
}

/**
 * Describes a value in a message: an object by its class, anything else by itself.
 *
 * @param value The value
 * @returns The text
 */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  return value.constructor?.name ?? "an object without a class";
}

/**
 * Requires something that not every system has, such as a group of its table.
 *
 * @param value What the system has, `undefined` or `false` where it lacks it
 * @param attempt What cannot be done without it, such as `"Cannot make a TimerDescriptor"`
 * @param missing What the system lacks, such as `"timerfd"`
 * @param advice What to do instead
 * @returns The value
 * @throws {Deno.errors.NotSupported} If the system lacks it
 */
export function need<T>(
  value: T | undefined | false,
  attempt: string,
  missing: string,
  advice?: string,
): T {
  if (value === undefined || value === false) {
    const end = advice === undefined ? "" : `; ${advice}`;
    throw new Deno.errors.NotSupported(`${attempt}: ${Deno.build.os} has no ${missing}${end}`);
  }
  return value;
}
