/**
 * Keeps the processes that tests start from collecting coverage: they would write a file for each
 * module, 70,000 in all, and half a file when they are killed. `deno test --preload` loads this.
 *
 * @module
 */

Deno.env.delete("DENO_COVERAGE_DIR");
