import type { Field } from "../abi/abi.ts";
import { abi } from "../abi/mod.ts";
import { need } from "../checks.ts";
import { getField } from "./fields.ts";
import { getOptionBytes } from "./options.ts";
import type { AnySocket } from "./socket.ts";
import { type Layout, layoutOf } from "./tcp_info_layout.ts";
import type { TcpInfo } from "./tcp_info_types.ts";

const { IPPROTO_TCP } = abi.constants;

/** The slow start threshold on Linux before the first loss. */
const NO_THRESHOLD = 0x7fff_ffff;

/**
 * Returns what the system knows of a TCP connection: `TCP_INFO`, on macOS `TCP_CONNECTION_INFO`.
 * Times are in milliseconds on every system.
 *
 * @param socket A TCP socket
 * @returns The state and the numbers
 * @throws {OSError} If the system refuses (`getsockopt`), such as with `EOPNOTSUPP` or
 * `ENOPROTOOPT` if it is not a TCP socket, or `EBADF`
 * @throws {Deno.errors.NotSupported} On Windows, NetBSD and Solaris
 *
 * @example Usage
 * ```ts
 * import { createConnection, createServer, tcpInfo } from "@readiness/selectors/socket";
 *
 * using server = createServer({ hostname: "127.0.0.1", port: 0 });
 * using client = await createConnection(server.localAddress);
 * if (Deno.build.os === "linux") {
 *   const { state, roundTripMilliseconds, congestionWindowSegments } = tcpInfo(client);
 *   console.log(state, roundTripMilliseconds, congestionWindowSegments); // ESTABLISHED 0.02 10
 * }
 * ```
 *
 * @category Options
 */
export function tcpInfo(socket: AnySocket): TcpInfo {
  const layout = need(layoutOf(abi), "Cannot get the state of a connection", "TCP_INFO");
  const ends = Object.values(layout.fields).map((field) => field === undefined ? 0 : endOf(field));
  const bytes = getOptionBytes(socket, IPPROTO_TCP, layout.option, Math.max(...ends));
  return decodeTcpInfo(bytes, layout);
}

/** Decodes as much of the structure as the system has filled. */
export function decodeTcpInfo(
  bytes: Uint8Array<ArrayBuffer>,
  { fields, rows, states }: Layout,
): TcpInfo {
  const { tcpi_state } = fields;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const info: Partial<TcpInfo> = { state: states[getField(view, 0, tcpi_state!)]! };
  for (const [name, quantity, divisor = 1] of rows) {
    const field = fields[name];
    if (field === undefined || endOf(field) > bytes.length) continue;
    const value = getField(view, 0, field);
    info[quantity] = isUnlimited(name, value, field) ? Infinity : value / divisor;
  }
  return info as TcpInfo;
}

/** Returns whether a number stands for none: all bits are set, or those of Linux's threshold. */
function isUnlimited(name: string, value: number, [, size]: Field): boolean {
  return (size >= 4 && value >= 2 ** (8 * size) - 1) ||
    (name === "tcpi_snd_ssthresh" && value === NO_THRESHOLD);
}

function endOf([offset, size]: Field): number {
  return offset + size;
}
