import { abi } from "../abi/mod.ts";
import { assertCString, assertInteger } from "../checks.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { cString } from "../memory.ts";
import { decodeCString } from "../text.ts";

const { EADDRNOTAVAIL } = abi.errno;

const calls = libcCalls({
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  if_indextoname: { parameters: ["u32", "buffer"], result: "usize" },
}, abi.winsock?.libraries.interfaces);

/** More than any system's `IF_NAMESIZE`, which is 16 or 32. */
const NAME_SIZE = 64;

/**
 * Returns the index of a network interface.
 *
 * @param name Its name, such as `"eth0"`
 * @returns Its index, 1 or more
 * @throws {TypeError} If the name is not a string
 * @throws {RangeError} If the name contains a NUL
 * @throws {OSError} If there is no such interface (`if_nametoindex`): `ENODEV` on Linux, on Windows
 * `EADDRNOTAVAIL`
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Usage
 * ```ts
 * import { interfaceIndex, interfaceName } from "@readiness/selectors/socket";
 *
 * if (Deno.build.os === "linux") console.log(interfaceName(interfaceIndex("lo"))); // lo
 * ```
 *
 * @category Network interfaces
 */
export function interfaceIndex(name: string): number {
  assertCString("Cannot find an interface: its name", name);
  const index = calls().if_nametoindex(cString(name));
  if (index === 0) {
    throw new OSError(`Cannot find the interface "${name}"`, "if_nametoindex", reason());
  }
  return index;
}

/**
 * Returns the name of a network interface.
 *
 * @param index Its index, 1 or more
 * @returns Its name. Bytes of it that are not UTF-8 become U+FFFD
 * @throws {RangeError} If the index is not an integer from 0 to 2³¹ − 1
 * @throws {OSError} If there is no such interface (`if_indextoname`): `ENXIO` on Linux, on Windows
 * `EADDRNOTAVAIL`
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Usage
 * ```ts
 * import { interfaceName } from "@readiness/selectors/socket";
 *
 * console.log(interfaceName(1)); // lo, or lo0
 * ```
 *
 * @category Network interfaces
 */
export function interfaceName(index: number): string {
  assertInteger("Cannot find an interface: its index", index, 0);
  const name = new Uint8Array(NAME_SIZE);
  if (calls().if_indextoname(index | 0, name) === 0n) {
    throw new OSError(`Cannot find interface ${index}`, "if_indextoname", reason());
  }
  return decodeCString(name);
}

/** Returns why an interface was not found: Windows gives no reason. */
function reason(): number {
  return abi.winsock === undefined ? lastErrno() : EADDRNOTAVAIL!;
}
