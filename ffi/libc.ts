import { abi } from "./abi/host.ts";

/** How the calls of a library are declared, by the name under which the code calls them. */
export type Declarations = Record<string, Deno.ForeignFunction>;

/** The calls of an opened library; an `optional` one is `null` where the system lacks it. */
export type Calls<D extends Declarations> = Deno.StaticForeignLibraryInterface<D>;

/**
 * Opens a set of libc's calls on first use, once an isolate. Loading this module opens nothing.
 *
 * @param declarations The calls, declared as for `Deno.dlopen`
 * @param places Where they are if not in libc: a bare name first, then absolute paths
 * @returns A function that gives the calls and throws `Deno.errors.NotCapable` without permission
 */
export function libcCalls<const D extends Declarations>(
  declarations: D,
  places: readonly string[] = abi.libc,
): () => Calls<D> {
  let calls: Calls<D> | undefined;
  return () => calls ??= opened(openLibc(declarations, places));
}

const firsts: (() => void)[] = [];

/** Has a function called with the first calls that are opened: before any of them can fail. */
export function withFirstCalls(callback: () => void): void {
  firsts.push(callback);
}

function opened<C>(calls: C): C {
  const callbacks = firsts.splice(0); // They open calls of their own.
  try {
    for (const callback of callbacks) callback();
  } catch (error) {
    firsts.push(...callbacks);
    throw error;
  }
  return calls;
}

/**
 * Opens libc. A scoped permission names one absolute path, so each usual place is asked for and
 * the first that is granted and there is taken.
 */
function openLibc<const D extends Declarations>(
  declarations: D,
  places: readonly string[],
): Calls<D> {
  // A grant of a bare name opens nothing: it is taken for a file in the current folder.
  const isUnscoped = Deno.permissions.querySync({ name: "ffi" }).state === "granted";
  let failure: unknown;
  for (const path of places) {
    if (!isUnscoped && !/[/\\]/.test(path)) continue;
    if (Deno.permissions.querySync({ name: "ffi", path }).state !== "granted") continue;
    try {
      return Deno.dlopen(path, declarations).symbols;
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  // In a terminal, the user is asked for the permission, in full.
  if (Deno.permissions.requestSync({ name: "ffi" }).state === "granted") {
    return Deno.dlopen(places[0], declarations).symbols;
  }
  const libraries = [abi.libc, ...Object.values(abi.winsock?.libraries ?? {})];
  const alone = abi.winsock === undefined
    ? "libc alone, by its path"
    : "Winsock and what goes with it alone, by their paths";
  throw new Deno.errors.NotCapable(
    "Cannot open libc without FFI permission: run again with --allow-ffi, " +
      `or with ${alone} on this system, as --allow-ffi=` +
      libraries.map(([name, path = name]) => path).join(),
  );
}

/**
 * Opens a set of calls that a library other than libc has, once an isolate and library.
 *
 * @param declarations The calls, declared as for `Deno.dlopen`
 * @returns A function that gives the calls of the library at a path
 */
export function libraryCalls<const D extends Declarations>(
  declarations: D,
): (path: string) => Calls<D> {
  const libraries = new Map<string, Calls<D>>();
  return (path) => {
    let calls = libraries.get(path);
    if (calls === undefined) libraries.set(path, calls = opened(openLibrary(path, declarations)));
    return calls;
  };
}

/** Declares every call as optional, so as to tell a library that lacks one from a missing library. */
function openLibrary<const D extends Declarations>(path: string, declarations: D): Calls<D> {
  if (Deno.permissions.requestSync({ name: "ffi", path }).state !== "granted") {
    throw new Deno.errors.NotCapable(
      `Cannot open the library ${path} without FFI permission: run again with --allow-ffi=${path}`,
    );
  }
  const declared = Object.entries(declarations);
  let symbols: Record<string, unknown>;
  try {
    symbols = Deno.dlopen(
      path,
      Object.fromEntries(declared.map(([name, call]) => [name, { ...call, optional: true }])),
    ).symbols;
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^(Could not open library: )+/, "");
    throw new Deno.errors.NotFound(`Cannot open the library ${path}: ${reason}`, { cause });
  }
  for (const [name, call] of declared) {
    if (symbols[name] === null && call.optional !== true) {
      throw new Deno.errors.NotSupported(
        `Cannot use the library ${path}: it has no symbol ${call.name ?? name}`,
      );
    }
  }
  return symbols as Calls<D>;
}
