import { assertCString } from "../checks.ts";
import { OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { bytesAt, copyFrom, cString } from "../memory.ts";
import { decodeCString, decodeExactly } from "../text.ts";
import { FileDescriptor } from "./file_descriptor.ts";

const calls = libcCalls({ dlsym: { parameters: ["usize", "buffer"], result: "usize" } });

/** A variable and its value, as in C: `NAME=value`. */
export type Variable = string | Uint8Array;

/**
 * Returns the environment of a new process: the given variables, then those of this process.
 *
 * @param given The variables by name
 * @param clear Whether to leave out those of this process
 * @param attempt The beginning of error messages
 * @throws {TypeError} If a value is not a string
 * @throws {RangeError} If a name is empty or contains `=`, or a name or value contains a NUL
 */
export function childEnvironment(
  given: Readonly<Record<string, string>>,
  clear: boolean,
  attempt: string,
): Variable[] {
  const variables: Variable[] = [];
  for (const [name, value] of Object.entries(given)) {
    assertCString(`${attempt}: the name of a variable`, name);
    if (name === "" || name.includes("=")) {
      throw new RangeError(
        `${attempt}: the name of a variable must not be empty or contain "=", received "${name}"`,
      );
    }
    assertCString(`${attempt}: the variable ${name}`, value);
    variables.push(`${name}=${value}`);
  }
  if (clear) return variables;
  const inherited = ownEnvironment().filter((own) => !Object.hasOwn(given, nameOf(own)));
  return [...variables, ...inherited];
}

/** Returns the value of a variable. */
export function valueOf(name: string, variables: readonly Variable[]): string | undefined {
  const variable = variables.find((variable) => nameOf(variable) === name);
  return variable === undefined ? undefined : textOf(variable).slice(name.length + 1);
}

/**
 * Returns the environment of this process. Another isolate may change libc's list at any time. Deno
 * takes a lock to read it, but requires the permission, as it does to change it.
 */
function ownEnvironment(): Variable[] {
  const { state, partial } = Deno.permissions.querySync({ name: "env" });
  if (state !== "granted" || partial) return libcEnvironment();
  const variables = Deno.env.toObject();
  // Deno leaves out what is not Unicode. Such a variable is from the start of this process.
  const others = initialEnvironment().filter((variable) =>
    decodeExactly(variable) === null && !Object.hasOwn(variables, nameOf(variable))
  );
  return [...Object.entries(variables).map(([name, value]) => `${name}=${value}`), ...others];
}

/** Reads libc's `environ`. */
function libcEnvironment(): Variable[] {
  const pointer = new BigUint64Array(new ArrayBuffer(8));
  const bytes = new Uint8Array(pointer.buffer);
  const pointerAt = (address: bigint) => {
    copyFrom(address, bytes);
    return pointer[0]!;
  };
  const variables: Variable[] = [];
  let at = pointerAt(calls().dlsym(0n, cString("environ")));
  if (at === 0n) return variables;
  for (let address; (address = pointerAt(at)) !== 0n; at += 8n) variables.push(bytesAt(address));
  return variables;
}

/** Reads the environment that this process was started with. */
function initialEnvironment(): Uint8Array[] {
  const variables: Uint8Array[] = [];
  try {
    using file = FileDescriptor.open("/proc/self/environ");
    let bytes = new Uint8Array(1 << 14);
    let length = 0;
    for (let size; (size = file.read(bytes.subarray(length)));) {
      length += size;
      if (length === bytes.length) bytes = resized(bytes, 2 * length);
    }
    for (let at = 0, end; at < length && (end = bytes.indexOf(0, at)) >= 0; at = end + 1) {
      variables.push(bytes.subarray(at, end));
    }
  } catch (error) {
    if (!(error instanceof OSError)) throw error; // Without /proc there are none to find.
  }
  return variables;
}

function resized(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(length);
  result.set(bytes);
  return result;
}

function nameOf(variable: Variable): string {
  const text = textOf(variable);
  const end = text.indexOf("=");
  return end < 0 ? text : text.slice(0, end);
}

function textOf(variable: Variable): string {
  return typeof variable === "string" ? variable : decodeCString(variable);
}
