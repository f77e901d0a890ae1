import { abi } from "../abi/host.ts";
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
 * Asks the system's resolver for the first address of a name, or for what a numeric address means.
 * It blocks until the resolver answers.
 *
 * @param hostname The name or the number
 * @param family `AF_INET` or `AF_INET6`
 * @returns The address in C's form, with port 0
 * @throws {OSError} If there is none; its `code` is `getaddrinfo`'s, such as `"EAI_NONAME"`
 */
export function resolve(hostname: string, family: number): Uint8Array<ArrayBuffer> {
  const hints = new DataView(new ArrayBuffer(HINTS_SIZE));
  hints.setInt32(fields.ai_family[0], family, true);
  hints.setInt32(fields.ai_socktype[0], SOCK_STREAM, true); // Else each address comes three times.
  const list = new BigUint64Array(1);
  const code = hostname === ""
    ? EAI_NONAME // Windows takes it for this machine's.
    : calls().getaddrinfo(cString(hostname), null, hints, list);
  if (code !== 0) throw resolverError(`Cannot resolve "${hostname}"`, "getaddrinfo", code);
  try {
    const first = new DataView(read(list[0], HINTS_SIZE).buffer);
    // On the BSDs and Solaris too, where it is wider, no address is longer than 32 bits tell.
    const length = first.getUint32(fields.ai_addrlen[0], true);
    return read(first.getBigUint64(fields.ai_addr[0], true), length);
  } finally {
    calls().freeaddrinfo(list[0]);
  }
}

/** The error of a call that reports in the resolver's own numbers. */
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
