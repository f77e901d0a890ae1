import { abi } from "../abi/mod.ts";
import { assertBoolean, need, readOptions } from "../checks.ts";
import { OSError } from "../errno.ts";
import { type AddressOf, describeAddress, type SocketAddress } from "./address.ts";
import { type Endpoint, endpointsBlocking } from "./endpoints.ts";
import { parseAddress } from "./internet_address.ts";
import { Socket } from "./socket.ts";

const {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SO_REUSEPORT,
} = abi.constants;

/**
 * Options of {@linkcode createServer}.
 *
 * @category Sockets
 */
export interface ServerOptions {
  /** How many connections may wait to be accepted; by default as many as the system allows. */
  readonly backlog?: number;
  /**
   * Whether several servers may listen on the same port, each of which sets this. Linux then
   * spreads the connections over them. By default they may not.
   */
  readonly reusePort?: boolean;
  /**
   * Whether a server at `::` accepts IPv4 connections too; their addresses begin with `::ffff:`. By
   * default it does not, whatever the system's default is.
   */
  readonly dualStack?: boolean;
}

/**
 * Creates a socket that listens for connections.
 *
 * On POSIX systems it sets `SO_REUSEADDR`: a server that starts again need not wait until the
 * connections of the previous one have timed out. The path of a Unix socket must not exist; the
 * server does not remove it.
 *
 * @typeParam A The type of the address, which is that of {@linkcode Socket.localAddress}
 * @param address Where to listen. Port 0 lets the system pick one. Resolving a name blocks; if it
 * has several addresses, the server listens at the first that this machine has
 * @param options The backlog, and whether others may share the address
 * @returns The socket, non-blocking and close-on-exec
 * @throws {TypeError} If it is not an address, or an option does not go with it: `dualStack` with
 * another address than `::`, or `reusePort` with a path
 * @throws {RangeError} If the port, the path or the backlog is out of range
 * @throws {OSError} If the system refuses (`socket`, `bind`, `listen`, `setsockopt`), such as with
 * `EADDRINUSE` or `EACCES`, or the name cannot be resolved (`getaddrinfo`)
 * @throws {Deno.errors.NotSupported} With `reusePort`, on a system without `SO_REUSEPORT`, such as
 * Windows
 * @throws {Deno.errors.NotCapable} Without FFI permission
 *
 * @example Usage
 * ```ts
 * import { whenReadable } from "@readiness/selectors";
 * import { createConnection, createServer } from "@readiness/selectors/socket";
 *
 * using server = createServer({ hostname: "127.0.0.1", port: 0 });
 * console.log("listening on port", server.localAddress.port);
 *
 * using client = await createConnection(server.localAddress);
 * using connection = await whenReadable(server, () => server.accept());
 * connection.send(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(1024);
 * const size = await whenReadable(client, () => client.recv(buffer));
 * console.log(new TextDecoder().decode(buffer.subarray(0, size))); // hello
 * ```
 *
 * @category Sockets
 */
export function createServer<A extends SocketAddress>(
  address: A,
  options?: ServerOptions,
): Socket<AddressOf<A>> {
  const own = readOptions("Cannot listen", options, ["backlog", "reusePort", "dualStack"]);
  const endpoints = endpointsBlocking(address);
  let failure: unknown;
  for (const endpoint of endpoints) {
    try {
      return listenAt(endpoint, own) as Socket<AddressOf<A>>;
    } catch (error) {
      if (!isAbsent(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Returns whether a server cannot be at an address because this machine does not have it. */
function isAbsent(error: unknown): boolean {
  return error instanceof OSError && ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(error.code);
}

function listenAt({ family, address }: Endpoint, options: ServerOptions): Socket {
  const { backlog, reusePort = false, dualStack = false } = options;
  const attempt = `Cannot listen on ${describeAddress(address)}`;
  assertBoolean(`${attempt}: reusePort`, reusePort);
  assertBoolean(`${attempt}: dualStack`, dualStack);
  const isInternet = family === AF_INET || family === AF_INET6;
  if (dualStack && !isAnyIpv6(family, address)) {
    throw new TypeError(`${attempt}: dualStack needs the hostname "::"`);
  }
  if (reusePort && !isInternet) throw new TypeError(`${attempt}: reusePort needs a port`);
  const socket = new Socket(family, SOCK_STREAM);
  try {
    // Windows lets a second server take the port over with it.
    if (isInternet && abi.winsock === undefined) socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
    if (reusePort) socket.setOption(SOL_SOCKET, need(SO_REUSEPORT, attempt, "SO_REUSEPORT"), 1);
    if (family === AF_INET6) socket.setOption(IPPROTO_IPV6, IPV6_V6ONLY, dualStack ? 0 : 1);
    socket.bind(address);
    socket.listen(backlog);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Returns whether an address is `::`, however it is written. */
function isAnyIpv6(family: number, address: SocketAddress): boolean {
  return family === AF_INET6 && "hostname" in address &&
    parseAddress(address.hostname, AF_INET6)?.every((byte) => byte === 0) === true;
}
