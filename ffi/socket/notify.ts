import { abi } from "../abi/mod.ts";
import { assertCString } from "../checks.ts";
import { libcCalls } from "../libc.ts";
import { bytesAt, cString } from "../memory.ts";
import { decodeCString } from "../text.ts";
import { Socket } from "./socket.ts";

const { AF_UNIX, SOCK_DGRAM } = abi.constants;

// Deno.env would need another permission.
const calls = libcCalls({ getenv: { parameters: ["buffer"], result: "usize" } });

const SLASH = 0x2f;
const AT_SIGN = 0x40;

/**
 * Reports the state of this service to the service manager, such as systemd (`sd_notify`). The
 * datagram goes to the socket that the variable `NOTIFY_SOCKET` names; the call blocks until there
 * is room for it.
 *
 * systemd reads `READY=1` if the unit has `Type=notify`, and `WATCHDOG=1` if it has `WatchdogSec=`.
 *
 * @param state Assignments, each on a line of its own: `READY=1`, `STOPPING=1`, `STATUS=…`, …
 * @returns Whether it was sent; `false` where there is no `NOTIFY_SOCKET`, and on Windows
 * @throws {TypeError} If `state` is not a string
 * @throws {RangeError} If `state` contains a NUL, or `NOTIFY_SOCKET` is neither an absolute path
 * nor an abstract one, which begins with `@`
 * @throws {OSError} If the system refuses (`sendto`), such as with `ENOENT` or `ECONNREFUSED`
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example A service that has started
 * ```ts
 * import { createServer, notify } from "@readiness/selectors/socket";
 *
 * using server = createServer({ hostname: "127.0.0.1", port: 0 });
 * notify(`READY=1\nSTATUS=Listening on port ${server.localAddress.port}`);
 * ```
 *
 * @category systemd
 */
export function notify(state: string): boolean {
  assertCString("Cannot notify the service manager: the state", state);
  if (abi.winsock !== undefined) return false;
  const address = calls().getenv(cString("NOTIFY_SOCKET"));
  const bytes = address === 0n ? new Uint8Array() : bytesAt(address);
  if (bytes.length === 0) return false;
  if (bytes[0] !== SLASH && bytes[0] !== AT_SIGN) {
    throw new RangeError(
      "Cannot notify the service manager: NOTIFY_SOCKET must begin with / or @, " +
        `received ${JSON.stringify(decodeCString(bytes))}`,
    );
  }
  if (bytes[0] === AT_SIGN) bytes[0] = 0;
  using socket = new Socket(AF_UNIX, SOCK_DGRAM);
  socket.setBlocking(true); // A state that is not sent is lost.
  socket.sendTo(new TextEncoder().encode(state), { family: AF_UNIX, bytes });
  return true;
}
