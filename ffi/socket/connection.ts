import { type WaitOptions, whenWritable } from "../../backends/ready.ts";
import { abi } from "../abi/mod.ts";
import { signalOf } from "../checks.ts";
import { nameOf } from "../descriptor.ts";
import { OSError } from "../errno.ts";
import { type AddressOf, describeAddress, type SocketAddress } from "./address.ts";
import { type Endpoint, endpoints } from "./endpoints.ts";
import { Socket } from "./socket.ts";

const { SOCK_STREAM } = abi.constants;

/**
 * Connects a stream socket. The addresses of a name are tried one after the other, in the system's
 * order, until one accepts the connection.
 *
 * @typeParam A The type of the address, which is that of {@linkcode Socket.remoteAddress}
 * @param address The peer's address. A name is resolved off the thread, as {@linkcode resolve} does
 * @param options A signal that ends the attempt; `AbortSignal.timeout()` is a timeout
 * @returns The connected socket, non-blocking and close-on-exec
 * @throws {TypeError} If it is not an address
 * @throws {RangeError} If the port or the length of the path is out of range
 * @throws {OSError} If no address accepts the connection (`connect`): the error of the last, such
 * as `ECONNREFUSED`, or `EAGAIN` if a Unix server on Linux has a full backlog; or the name cannot
 * be resolved (`getaddrinfo`)
 * @throws {Deno.errors.NotCapable} Without FFI permission
 * @throws The signal's reason if it is aborted. Nothing stays open
 *
 * @example Usage
 * ```ts
 * import { createConnection, createServer } from "@readiness/selectors/socket";
 *
 * using server = createServer({ hostname: "127.0.0.1", port: 0 });
 * const { port } = server.localAddress;
 * using socket = await createConnection(
 *   { hostname: "127.0.0.1", port },
 *   { signal: AbortSignal.timeout(5_000) },
 * );
 * console.log(socket.remoteAddress.port === port); // true
 * ```
 *
 * @category Sockets
 */
export async function createConnection<A extends SocketAddress>(
  address: A,
  options?: WaitOptions,
): Promise<Socket<AddressOf<A>>> {
  const signal = signalOf("Cannot connect", options);
  signal?.throwIfAborted();
  let failure: unknown;
  for (const endpoint of await endpoints(address, signal)) {
    try {
      return await connectTo(endpoint, signal && { signal }) as Socket<AddressOf<A>>;
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function connectTo(
  { family, address }: Endpoint,
  options: WaitOptions | undefined,
): Promise<Socket> {
  const socket = new Socket(family, SOCK_STREAM);
  try {
    let isPending = false;
    await whenWritable(socket, () => {
      if (!isPending) {
        isPending = !socket.connect(address);
        return isPending ? null : true;
      }
      const error = socket.error();
      if (error === null) return true;
      const attempt = `Cannot connect ${nameOf(socket.fileno())} to ${describeAddress(address)}`;
      throw new OSError(attempt, "connect", error.errno);
    }, options);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
