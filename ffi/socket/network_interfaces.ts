import { abi } from "../abi/mod.ts";
import { need } from "../checks.ts";
import { lastErrno, OSError } from "../errno.ts";
import { libcCalls } from "../libc.ts";
import { copyFrom, stringAt } from "../memory.ts";

const calls = libcCalls({
  if_nameindex: { parameters: [], result: "usize" },
  if_freenameindex: { parameters: ["usize"], result: "void" },
});

/**
 * A network interface of this machine.
 *
 * @category Network interfaces
 */
export interface NetworkInterface {
  /** Its index, 1 or more, as {@linkcode interfaceName} takes it. */
  index: number;
  /** Its name, such as `"eth0"`, as {@linkcode interfaceIndex} takes it. */
  name: string;
}

/**
 * Lists the network interfaces of this machine with `if_nameindex`, also those that are down or
 * have no address. `Deno.networkInterfaces()` lists the addresses of interfaces.
 *
 * @returns The interfaces, in the system's order
 * @throws {OSError} If `if_nameindex` fails, such as with `ENOBUFS` or `EMFILE`
 * @throws {Deno.errors.NotSupported} On Windows
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Usage
 * ```ts
 * import { networkInterfaces } from "@readiness/selectors/socket";
 *
 * if (Deno.build.os !== "windows") {
 *   for (const { index, name } of networkInterfaces()) console.log(index, name); // 1 lo
 * }
 * ```
 *
 * @category Network interfaces
 */
export function networkInterfaces(): NetworkInterface[] {
  const attempt = "Cannot list the network interfaces";
  const { if_nameindex: { fields, size } } = need(abi.interfaces, attempt, "if_nameindex()");
  const { if_nameindex, if_freenameindex } = calls();
  const list = if_nameindex();
  if (list === 0n) throw new OSError(attempt, "if_nameindex", lastErrno());
  try {
    const interfaces: NetworkInterface[] = [];
    const row = new DataView(new ArrayBuffer(size));
    for (let address = list;; address += BigInt(size)) {
      copyFrom(address, new Uint8Array(row.buffer));
      const name = row.getBigUint64(fields.if_name[0], true);
      if (name === 0n) return interfaces;
      interfaces.push({
        index: row.getUint32(fields.if_index[0], true),
        name: stringAt(name),
      });
    }
  } finally {
    if_freenameindex(list);
  }
}
