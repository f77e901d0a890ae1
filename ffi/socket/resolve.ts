import { abi } from "../abi/mod.ts";
import { assertCString, assertInteger, assertSignal, readOptions } from "../checks.ts";
import { copyFrom, cString, NativeMemory } from "../memory.ts";
import { platform } from "../platform/mod.ts";
import { decodeAddress } from "./address.ts";
import { type InternetAddress, isNumericHostname } from "./internet_address.ts";
import {
  hintsFor,
  isUnnamed,
  resolveBlocking,
  resolverCodeError,
  takeAddresses,
} from "./resolver.ts";

const { AF_UNSPEC, EAI_NONAME } = abi.constants;

const calls = platform.openCalls({
  getaddrinfoOffThread: {
    name: "getaddrinfo",
    parameters: ["usize", "usize", "usize", "usize"],
    result: "i32",
    nonblocking: true,
  },
});

/** How many names are looked up at once. Each holds one of Deno's 32 threads for native calls. */
const MAX_RUNNING = 4;

/**
 * Options of {@linkcode resolve}.
 *
 * @category Addresses
 */
export interface ResolveOptions {
  /** `AF_INET` or `AF_INET6`; both by default. */
  readonly family?: number;
  /** Rejects with the signal's reason when it is aborted. */
  readonly signal?: AbortSignal;
}

/**
 * Resolves a name with the system's resolver (`getaddrinfo`), on another thread: with `/etc/hosts`,
 * the name servers and everything else that the system uses. `Deno.resolveDns()` only asks a name
 * server.
 *
 * Four names are looked up at once; others wait. A numeric address resolves to itself, at once.
 *
 * @param hostname The name or numeric address
 * @param options The family, and a signal that ends the wait. The resolver goes on until it gives
 * up, and occupies its thread until then
 * @returns Each address once, with port 0, in the order in which to try them
 * @throws {TypeError} If the name is not a string
 * @throws {RangeError} If the name contains a NUL, or the family is not a 32-bit integer
 * @throws {OSError} If the name cannot be resolved (`getaddrinfo`). Its `code` is the resolver's,
 * such as `"EAI_NONAME"`
 * @throws {Deno.errors.NotCapable} Without FFI permission
 * @throws The signal's reason if it is aborted
 *
 * @example Usage
 * ```ts
 * import { resolve } from "@readiness/selectors/socket";
 *
 * for (const { hostname } of await resolve("localhost")) console.log(hostname); // ::1, 127.0.0.1
 * ```
 *
 * @example With a timeout
 * ```ts
 * import { AF_INET, resolve } from "@readiness/selectors/socket";
 *
 * const signal = AbortSignal.timeout(5_000);
 * const addresses = await resolve("localhost", { family: AF_INET, signal });
 * console.log(addresses); // [{ hostname: "127.0.0.1", port: 0 }]
 * ```
 *
 * @category Addresses
 */
export async function resolve(
  hostname: string,
  options?: ResolveOptions,
): Promise<InternetAddress[]> {
  const attempt = "Cannot resolve a name";
  const { family = AF_UNSPEC, signal } = readOptions(attempt, options, ["family", "signal"]);
  assertSignal(attempt, signal);
  assertCString(`${attempt}: it`, hostname);
  assertInteger(`${attempt}: the family`, family);
  signal?.throwIfAborted();
  return decodeDistinct(
    isNumericHostname(hostname)
      ? resolveBlocking(hostname, family)
      : await inTurn(() => lookUp(hostname, family), signal),
  );
}

/**
 * Decodes addresses, each once.
 *
 * @param list The addresses in C's form
 * @returns The addresses, in the same order
 */
export function decodeDistinct(list: readonly Uint8Array<ArrayBuffer>[]): InternetAddress[] {
  const addresses = new Map<string, InternetAddress>();
  for (const bytes of list) {
    const address = decodeAddress(bytes, bytes.length) as InternetAddress;
    addresses.set(address.hostname, address);
  }
  return [...addresses.values()];
}

/** Memory for lookups that is not in use. */
const idle: NativeMemory[] = [];

/** Looks a name up on another thread. */
async function lookUp(hostname: string, family: number): Promise<Uint8Array<ArrayBuffer>[]> {
  const attempt = `Cannot resolve "${hostname}"`;
  if (isUnnamed(hostname)) throw resolverCodeError(attempt, "getaddrinfo", EAI_NONAME);
  const list = new BigUint64Array(1);
  const hints = hintsFor(family);
  const name = cString(hostname);
  // A Worker that is terminated meanwhile leaves this memory to the call.
  const memory = idle.pop() ?? new NativeMemory();
  try {
    const listAt = memory.reserve(8 + hints.byteLength + name.length);
    const hintsAt = 8;
    const nameAt = hintsAt + hints.byteLength;
    memory.write(0, list, 8);
    memory.write(hintsAt, hints, hints.byteLength);
    memory.write(nameAt, name, name.length);
    const code = await calls().getaddrinfoOffThread(
      listAt + BigInt(nameAt),
      0n,
      listAt + BigInt(hintsAt),
      listAt,
    );
    // The errno that EAI_SYSTEM refers to is the other thread's.
    if (code !== 0) throw resolverCodeError(attempt, "getaddrinfo", code);
    copyFrom(listAt, new Uint8Array(list.buffer));
  } finally {
    idle.push(memory);
  }
  return takeAddresses(list[0]!);
}

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Runs a task once fewer than {@linkcode MAX_RUNNING} others run. A signal ends the wait for it,
 * and what waits for its turn does not begin.
 */
function inTurn<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const begin = () => {
      running++;
      task().then(resolve, reject).finally(() => {
        signal?.removeEventListener("abort", abort);
        running--;
        waiting.shift()?.();
      });
    };
    const abort = () => {
      const turn = waiting.indexOf(begin);
      if (turn >= 0) waiting.splice(turn, 1);
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    if (running < MAX_RUNNING) begin();
    else waiting.push(begin);
  });
}
