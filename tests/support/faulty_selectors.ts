/**
 * What examples and their Workers import as `@readiness/selectors` to run over the libc that the
 * environment names: `deno run --import-map tests/support/faulty_imports.json`.
 *
 * @module
 */

import "./use_faulty_libc.ts";

export * from "../../mod.ts";
