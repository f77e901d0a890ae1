/**
 * Appends the reason to the name of each skipped test, and skips the examples of the documentation
 * that cannot run on this system. `deno test --preload` loads this before the test files.
 *
 * @module
 */

import { isQemu, isWindows } from "./os.ts";
import { linuxOnly, type Skip, skipIf } from "./skip.ts";

/** Examples of the documentation have no definition to spread a reason into. */
const examples: readonly (readonly [file: RegExp, code: RegExp, skip: Skip])[] = [
  [/backends\/epoll/, /./, linuxOnly],
  [/ffi\/fd\/mod|fd\/(event|inotify|process|signal|timer)_descriptor/, /./, linuxOnly],
  [/ffi\/fd\/(pseudo_)?terminal/, /./, skipIf(isWindows, "Windows has no POSIX terminals")],
  [/ffi\/fd\/terminal/, /\.sendBreak\(/, skipIf(isQemu, "qemu has no TIOCSBRK")],
  [/ffi\/socket\/activation/, /./, skipIf(isWindows, "Windows has no socket activation")],
  [/ffi\/socket\/message/, /./, skipIf(isWindows, "Windows has no SCM_RIGHTS")],
  [/README/, /ProcessDescriptor|eventfd/, linuxOnly],
  [/README/, /sendMessage/, skipIf(isWindows, "Windows has no SCM_RIGHTS")],
  [/README/, /reusePort/, skipIf(isWindows, "Windows has no SO_REUSEPORT")],
];

const declare = Deno.test;

Object.assign(Deno, { test: Object.assign(test, declare) });

/** `Deno.test`, in all its forms. */
function test(...args: unknown[]): void {
  const definition: Partial<Deno.TestDefinition> & Skip = {};
  for (const arg of args) {
    if (typeof arg === "string") Object.assign(definition, { name: arg });
    else if (typeof arg === "function") Object.assign(definition, { fn: arg });
    else Object.assign(definition, arg);
  }
  const name = definition.name ?? definition.fn?.name ?? "";
  Object.assign(definition, exampleSkip(name, `${definition.fn}`));
  const { ignore = false, reason = "no reason given" } = definition;
  declare({
    ...definition as Deno.TestDefinition,
    name: ignore ? `${name} [skipped: ${reason}]` : name,
  });
}

function exampleSkip(name: string, code: string): Skip {
  if (!/\.(ts|md)#[\d-]+\.ts$/.test(name)) return {};
  const found = examples.find(([file, pattern, { ignore }]) =>
    ignore && file.test(name) && pattern.test(code)
  );
  return found?.[2] ?? {};
}
