import { abi, NOTHING } from "./abi/mod.ts";
import { assertCString } from "./checks.ts";

/** How the calls of a library are declared, by the name under which the code calls them. */
export type Declarations = Record<string, Deno.ForeignFunction>;

/** The calls of an opened library; an `optional` call is `null` where the system lacks it. */
export type Calls<D extends Declarations> = Deno.StaticForeignLibraryInterface<D>;

/**
 * Opens a set of libc's calls on first use, once per isolate. Loading this module opens nothing.
 *
 * @param declarations The calls, declared as for `Deno.dlopen`
 * @param places Where the calls are if not in libc, in the order to try: absolute paths, and bare
 * names that can only mean a library of the system
 * @returns A function that returns the calls. It throws `Deno.errors.NotCapable` without permission
 */
export function libcCalls<const D extends Declarations>(
  declarations: D,
  places: readonly string[] = abi.libc,
): () => Calls<D> {
  let calls: Calls<D> | undefined;
  return () => calls ??= withErrno(openLibc(declarations, places));
}

/**
 * Opens a set of calls of a library other than libc, once per isolate and library.
 *
 * @param declarations The calls, declared as for `Deno.dlopen`
 * @returns A function that returns the calls of the library at a path
 */
export function libraryCalls<const D extends Declarations>(
  declarations: D,
): (path: string) => Calls<D> {
  const libraries = new Map<string, Calls<D>>();
  return (path) => {
    let calls = libraries.get(path);
    if (calls === undefined) {
      libraries.set(path, calls = withErrno(openLibrary(path, declarations)));
    }
    return calls;
  };
}

let readErrno: (() => number) | undefined;

/**
 * Returns the `errno` of the calling thread, on POSIX. It opens nothing, as that would change
 * `errno`.
 */
export function lastErrno(): number {
  return readErrno!();
}

/** Opens `errno` with the first calls, before one of them can fail. */
function withErrno<C>(calls: C): C {
  if (abi.winsock === undefined) readErrno ??= openErrno();
  return calls;
}

function openErrno(): () => number {
  const { errnoLocation } = openLibc({
    errnoLocation: { name: abi.symbols.errno, parameters: [], result: "usize" },
  }, abi.libc);
  const address = errnoLocation();
  if (isUnscoped()) {
    const pointer = Deno.UnsafePointer.create(address)!;
    const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(pointer, 4));
    return () => errno[0]!;
  }
  // A scoped permission does not allow looking at memory, but libc copies it.
  const { memcpy } = openLibc({
    memcpy: { parameters: ["buffer", "usize", "usize"], result: "void" },
  }, abi.libc);
  const errno = new Int32Array(new ArrayBuffer(4));
  return () => {
    memcpy(errno, address, 4n);
    return errno[0]!;
  };
}

/** Returns whether everything may be opened, except what a `--deny-ffi` rule names. */
function isUnscoped(): boolean {
  return Deno.permissions.querySync(permissionFor()).state === "granted";
}

/** Returns whether everything may be opened, without exception. */
function isUnrestricted(): boolean {
  const { state, partial } = Deno.permissions.querySync(permissionFor());
  return state === "granted" && !partial;
}

/** Opens libc, at the first of the usual places that is permitted and exists. */
function openLibc<const D extends Declarations>(
  declarations: D,
  places: readonly string[],
): Calls<D> {
  const granted = openGranted(declarations, places);
  if (granted !== null) return granted;
  // In a terminal, Deno asks the user for the permission, in full.
  if (Deno.permissions.requestSync(permissionFor()).state === "granted") {
    const requested = openGranted(declarations, places);
    if (requested !== null) return requested;
  }
  const libraries = [abi.libc, ...Object.values(abi.winsock?.libraries ?? NOTHING)];
  const paths = libraries.flatMap((places) => places.find(isAbsolute) ?? []).join();
  const scoped = `, or, for ${abi.winsock === undefined ? "libc" : "the system's own libraries"} ` +
    `alone, with --allow-ffi=${paths}`;
  throw new Deno.errors.NotCapable(
    "Cannot open libc without FFI permission: run again with --allow-ffi" +
      (paths === "" ? "" : scoped),
  );
}

/**
 * Opens libc at the first place that is granted and exists, or returns `null` if none is granted.
 */
function openGranted<const D extends Declarations>(
  declarations: D,
  places: readonly string[],
): Calls<D> | null {
  // Under any scope or `--deny-ffi` rule, Deno takes a bare name for a file in the current folder.
  const safePlaces = isUnrestricted() ? places : places.filter(isAbsolute);
  let failure: unknown;
  for (const path of safePlaces) {
    if (Deno.permissions.querySync(permissionFor(path)).state !== "granted") continue;
    try {
      return dlopen(path, declarations);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return null;
}

/** Opens a library. Deno would take what a declaration lacks from a polluted `Object.prototype`. */
function dlopen<const D extends Declarations>(path: string, declarations: D): Calls<D> {
  const own = Object.entries(declarations).map(([name, call]) => [name, withoutPrototype(call)]);
  return Deno.dlopen(path, Object.fromEntries(own) as D).symbols;
}

function permissionFor(path?: string): Deno.FfiPermissionDescriptor {
  return withoutPrototype(path === undefined ? { name: "ffi" } : { name: "ffi", path });
}

function withoutPrototype<T extends object>(properties: T): T {
  return Object.assign(Object.create(null), properties);
}

function isAbsolute(place: string): boolean {
  return /^([A-Z]:)?[/\\]/i.test(place);
}

/** Opens a library. Deno takes all calls as optional: a missing one has an error of its own. */
function openLibrary<const D extends Declarations>(path: string, declarations: D): Calls<D> {
  assertCString("Cannot open a library: its path", path);
  if (path === "") throw new Deno.errors.NotFound("Cannot open a library: its path is empty");
  if (Deno.permissions.requestSync(permissionFor(path)).state !== "granted") {
    throw new Deno.errors.NotCapable(
      `Cannot open the library ${path} without FFI permission: run again with --allow-ffi=${path}`,
    );
  }
  const declared = Object.entries(declarations).map(([name, call]) =>
    [name, withoutPrototype(call)] as const
  );
  let symbols: Record<string, unknown>;
  try {
    symbols = dlopen(
      path,
      Object.fromEntries(declared.map(([name, call]) => [name, { ...call, optional: true }])),
    );
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
