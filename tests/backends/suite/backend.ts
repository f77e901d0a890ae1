import type { BaseSelector } from "../../../mod.ts";
import { type Skip, skipIf } from "../../support/skip.ts";

/** A class of selectors that the shared suite is run over, and in what it may differ. */
export interface Backend {
  /** The name of the class, which every test begins with. */
  readonly name: string;
  /** Makes a selector. */
  readonly create: () => BaseSelector;
  /** What makes a selector in a program of its own, where `selectors` is all of `mod.ts`. */
  readonly source: string;
  /** Whether `register` and `modify` of a closed descriptor are refused with `EBADF`. */
  readonly descriptorsAreChecked: boolean;
  /** Whether a registered descriptor that was closed, and reused perhaps, yields no event. */
  readonly seesReuse: boolean;
  /** Skips all of its tests. */
  readonly skip?: Skip;
  /** How many selectors are made and closed to see what they leave behind; left out, 10,000. */
  readonly many?: number;
  /** The promises that it breaks through no fault of the class, and why: their tests are skipped. */
  readonly excused?: Readonly<Record<string, string>>;
}

/** Declares a test of a backend, with a selector that is closed after it; `skip` may skip it. */
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
