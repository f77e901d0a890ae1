import { abi } from "../abi/mod.ts";
import { platform } from "../platform/mod.ts";
import { lastErrno, OSError } from "../errno.ts";
import { copyFrom, cString } from "../memory.ts";

const { EAI_NONAME, EAI_SYSTEM, SOCK_STREAM } = abi.constants;
const { size: HINTS_SIZE, fields } = abi.structs.addrinfo;

const calls = platform.openCalls({
  getaddrinfo: { parameters: ["buffer", "pointer", "buffer", "buffer"], result: "i32" },
  freeaddrinfo: { parameters: ["usize"], result: "void" },
});

/**
 * Asks the system's resolver for the first address of a name, or for the meaning of a numeric
 * address. It blocks until the resolver answers.
 *
 * @param hostname The name or the numeric address
 * @param family `AF_INET` or `AF_INET6`
 * @returns The address in C's form, with port 0
 * @throws {OSError} If there is none. Its `code` is `getaddrinfo`'s, such as `"EAI_NONAME"`
 */
export function resolve(hostname: string, family: number): Uint8Array<ArrayBuffer> {
  const hints = new DataView(new ArrayBuffer(HINTS_SIZE));
  hints.setInt32(fields.ai_family[0], family, true);
  hints.setInt32(fields.ai_socktype[0], SOCK_STREAM, true); // Without it each address comes thrice.
  const list = new BigUint64Array(1);
  const code = hostname === ""
    ? EAI_NONAME // Windows would return the addresses of this machine.
    : calls().getaddrinfo(cString(hostname), null, hints, list);
  if (code !== 0) throw resolverError(`Cannot resolve "${hostname}"`, "getaddrinfo", code);
  try {
    const first = new DataView(read(list[0]!, HINTS_SIZE).buffer);
    // The field has 64 bits on some systems, but a length always fits the low 32.
    const length = first.getUint32(fields.ai_addrlen[0], true);
    return read(first.getBigUint64(fields.ai_addr[0], true), length);
  } finally {
    calls().freeaddrinfo(list[0]!);
  }
}

/**
 * Makes the error of a call that fails with the resolver's own numbers.
 *
 * @param attempt What was attempted
 * @param syscall The call that failed
 * @param code What it returned
 * @returns The error
 */
export function resolverError(attempt: string, syscall: string, code: number): OSError {
  if (code === EAI_SYSTEM) return new OSError(attempt, syscall, lastErrno());
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
