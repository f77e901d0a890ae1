// The types of what the tests use of @std/assert: the npm copy of that package comes without any.
declare module "@std/assert" {
  // deno-lint-ignore no-explicit-any
  type Class<T> = abstract new (...args: any[]) => T;

  /** Asserts that a value is truthy, and narrows it. */
  export function assert(expr: unknown, msg?: string): asserts expr;
  /** Asserts that a value is false. */
  export function assertFalse(expr: unknown, msg?: string): asserts expr is false;
  /** Asserts that two values are equal, deeply. */
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  /** Asserts that two values differ, deeply. */
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  /** Asserts that two values are identical, and narrows the first. */
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  /** Asserts that a value is neither `null` nor `undefined`, and narrows it. */
  export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;
  /** Asserts that a value is of a class, and narrows it. */
  export function assertInstanceOf<T>(
    actual: unknown,
    expectedType: Class<T>,
    msg?: string,
  ): asserts actual is T;
  /** Asserts that a string contains another. */
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  /** Asserts that a string matches. */
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  /** Asserts that an array holds all of the expected elements. */
  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    msg?: string,
  ): void;
  /** Asserts that a number is greater. */
  export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
  /** Asserts that a number is greater or equal. */
  export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
  /** Asserts that a number is less. */
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  /** Asserts that a number is less or equal. */
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  /** Asserts that a function throws, and gives the error. */
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    ErrorClass?: Class<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  /** Asserts that a promise is rejected, and gives the error. */
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    ErrorClass?: Class<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  /** Fails. */
  export function fail(msg?: string): never;
}
