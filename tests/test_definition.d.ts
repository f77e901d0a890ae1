declare namespace Deno {
  interface TestDefinition {
    /** Why the test is skipped, if it is: `tests/support/skip_by_name.ts` tells it. */
    readonly why?: string;
  }
}
