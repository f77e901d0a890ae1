import { abi } from "../abi/mod.ts";
import { platform } from "../platform/mod.ts";
import { lastErrno, OSError } from "../errno.ts";
import { copyFrom, cString } from "../memory.ts";

const { EAI_NONAME, EAI_SYSTEM, SOCK_STREAM } = abi.constants;
const { size: ADDRINFO_SIZE, fields } = abi.structs.addrinfo;

const calls = platform.openCalls({
  getaddrinfo: { parameters: ["buffer", "pointer", "buffer", "buffer"], result: "i32" },
  freeaddrinfo: { parameters: ["usize"], result: "void" },
});

/**
 * Asks the system's resolver for the addresses of a name, or for the meaning of a numeric address.
 * It blocks until the resolver answers.
 *
 * @param hostname The name or the numeric address
 * @param family `AF_INET` or `AF_INET6`, or `AF_UNSPEC` for both
 * @returns The addresses in C's form, with port 0; one or more
 * @throws {OSError} If there is none. Its `code` is `getaddrinfo`'s, such as `"EAI_NONAME"`
 */
export function resolveBlocking(hostname: string, family: number): Uint8Array<ArrayBuffer>[] {
  const list = new BigUint64Array(1);
  const code = isUnnamed(hostname)
    ? EAI_NONAME
    : calls().getaddrinfo(cString(hostname), null, hintsFor(family), list);
  if (code !== 0) throw resolverError(`Cannot resolve "${hostname}"`, "getaddrinfo", code);
  return takeAddresses(list[0]!);
}

/** Returns whether a name is the empty one, for which Windows returns its own addresses. */
export function isUnnamed(hostname: string): boolean {
  return hostname === "";
}

/** Returns a `struct addrinfo` that asks for the addresses of a family. */
export function hintsFor(family: number): DataView<ArrayBuffer> {
  const hints = new DataView(new ArrayBuffer(ADDRINFO_SIZE));
  hints.setInt32(fields.ai_family[0], family, true);
  hints.setInt32(fields.ai_socktype[0], SOCK_STREAM, true); // Else each address comes three times.
  return hints;
}

/** Copies the addresses of a list of `struct addrinfo`, and frees it. */
export function takeAddresses(list: bigint): Uint8Array<ArrayBuffer>[] {
  try {
    const addresses: Uint8Array<ArrayBuffer>[] = [];
    for (let at = list; at !== 0n;) {
      const info = new DataView(read(at, ADDRINFO_SIZE).buffer);
      // The field has 64 bits on some systems, but a length always fits the low 32.
      const length = info.getUint32(fields.ai_addrlen[0], true);
      addresses.push(read(info.getBigUint64(fields.ai_addr[0], true), length));
      at = info.getBigUint64(fields.ai_next[0], true);
    }
    return addresses;
  } finally {
    calls().freeaddrinfo(list);
  }
}

/**
 * Makes the error of a call that failed with one of the resolver's own numbers on this thread.
 *
 * @param attempt What was attempted
 * @param syscall The call that failed
 * @param code What it returned
 * @returns The error; that of `errno` if the resolver refers to it
 */
export function resolverError(attempt: string, syscall: string, code: number): OSError {
  if (code === EAI_SYSTEM) return new OSError(attempt, syscall, lastErrno());
  return resolverCodeError(attempt, syscall, code);
}

/** Makes the error of a call that failed with one of the resolver's own numbers. */
export function resolverCodeError(attempt: string, syscall: string, code: number): OSError {
  return new OSError(attempt, syscall, code, resolverCode(code), platform.gaiStrerror(code));
}

function resolverCode(code: number): string {
  const row = Object.entries(abi.constants).find(([name, number]) =>
    name.startsWith("EAI_") && number === code
  );
  return row?.[0] ?? `EAI_${code}`;
}

function read(address: bigint, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  copyFrom(address, bytes);
  return bytes;
}
