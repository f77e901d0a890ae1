import type { BaseSelector } from "../../../mod.ts";
import { type Skip, skipIf } from "../../support/skip.ts";

/** A class that the shared suite tests, and how classes may differ. */
export interface Backend {
  /** The name of the class, with which every test name begins. */
  readonly name: string;
  /** Makes a selector. */
  readonly create: () => BaseSelector;
  /** An expression that makes a selector in a subprocess, where `selectors` is `mod.ts`. */
  readonly source: string;
  /** Whether `register` and `modify` of a closed descriptor fail with `EBADF`. */
  readonly descriptorsAreChecked: boolean;
  /** Whether a registered descriptor that was closed, or closed and reused, yields no event. */
  readonly seesReuse: boolean;
  /** Whether it supports an interest mask. */
  readonly supports: (events: number) => boolean;
  /** Skips all of its tests. */
  readonly skip?: Skip;
  /** How many selectors a test opens and closes to look for leaks; 10,000 by default. */
  readonly many?: number;
  /** Names of tests to skip, with the reason, where the system itself breaks the promise. */
  readonly excused?: Readonly<Record<string, string>>;
}

/** Declares a test of a backend, with a selector that is closed afterwards. */
export function test(
  backend: Backend,
  promise: string,
  fn: (selector: BaseSelector) => void | Promise<void>,
  skip: Skip = {},
): void {
  const excuse = backend.excused?.[promise];
  Deno.test({
    name: `${backend.name}${/^[\w[]/.test(promise) ? "." : ""}${promise}`,
    ...skipIf(excuse !== undefined, excuse ?? ""),
    ...backend.skip,
    ...skip,
    async fn() {
      using selector = backend.create();
      await fn(selector);
    },
  });
}

/** Returns whether a backend supports an interest mask. */
export function supports(backend: Backend, events: number): boolean {
  return backend.supports(events);
}
