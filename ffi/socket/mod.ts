/**
 * Sockets for use with a selector of
 * [`@readiness/selectors`](https://jsr.io/@readiness/selectors/doc), over the system's own calls:
 *
 * ```ts
 * import { sendAll, whenReadable } from "@readiness/selectors";
 * import { createConnection, createServer } from "@readiness/selectors/socket";
 *
 * using server = createServer({ hostname: "127.0.0.1", port: 0 });
 * using client = await createConnection(server.localAddress);
 * using connection = await whenReadable(server, () => server.accept());
 * await sendAll(client, new TextEncoder().encode("hello"));
 *
 * const buffer = new Uint8Array(65536);
 * const size = await whenReadable(connection, () => connection.recv(buffer));
 * console.log(new TextDecoder().decode(buffer.subarray(0, size))); // hello
 * ```
 *
 * Sockets are non-blocking and close-on-exec. A call that can do nothing now returns `null`: wait
 * with a selector or with `whenReadable()`, and call again. The garbage collector closes nothing:
 * use `using` or `close()`.
 *
 * ## Sockets
 *
 * - {@linkcode createServer}, {@linkcode createConnection}: a listening or connected socket in one
 *   call
 * - {@linkcode Socket}: streams, datagrams and raw packets over IPv4, IPv6 and Unix sockets, and
 *   any other family with a {@linkcode RawAddress}
 * - {@linkcode socketpair}: two sockets that are connected to each other
 * - {@linkcode tryConnect}: connects, and returns a refusal instead of throwing it
 * - {@linkcode sendFile}: sends a part of a file
 * - {@linkcode resolve}: every address of a host name
 * - `AF_INET`, `SOL_SOCKET`, `TCP_NODELAY`, …: the running system's own numbers
 *
 * ## Options
 *
 * - `Socket.setOption()` takes options whose values are numbers or bytes.
 * - {@linkcode setKeepAlive}, {@linkcode setLinger}, {@linkcode peerCredentials} and
 *   {@linkcode getOptionBytes}: options whose values are structures
 * - {@linkcode tcpInfo}: round-trip time, window, counters and more of a TCP connection
 *
 * ## Datagrams and messages
 *
 * - {@linkcode sendMessage}, {@linkcode receiveMessage}: messages with descriptors, credentials and
 *   other control data
 * - {@linkcode sendMessages}, {@linkcode receiveMessages}: many datagrams in one system call
 * - {@linkcode joinGroup}, {@linkcode leaveGroup}, {@linkcode joinSourceGroup},
 *   {@linkcode leaveSourceGroup}, {@linkcode setMulticastInterface}, {@linkcode setMulticastHops},
 *   {@linkcode setMulticastLoop}: multicast
 * - {@linkcode queuedError}: why a packet was not delivered, from a socket's error queue (Linux)
 *
 * ## The system
 *
 * - {@linkcode networkInterfaces}, {@linkcode interfaceIndex}, {@linkcode interfaceName}: network
 *   interfaces
 * - {@linkcode listenFds}, {@linkcode notify}: sockets that systemd passes to the program, and what
 *   the program reports to it
 *
 * Descriptors of other kinds are in
 * [`@readiness/selectors/fd`](https://jsr.io/@readiness/selectors/doc/fd). The connections of
 * `Deno.connect()` expose no descriptor, so a selector cannot wait for them. Deno's `node:` modules
 * take one: {@linkcode Socket} shows how to hand a connection over.
 *
 * @module
 */

export type { WaitOptions } from "../../backends/ready.ts";
export type { HasFileno } from "../descriptor.ts";
export type { AddressOf, SocketAddress } from "./address.ts";
export type { InternetAddress } from "./internet_address.ts";
export type { RawAddress } from "./raw_address.ts";
export type { UnixAddress } from "./unix_address.ts";
export * from "./can_constants.ts";
export * from "./constants.ts";
export * from "./error_queue_constants.ts";
export * from "./interface_constants.ts";
export * from "./netlink_constants.ts";
export * from "./vsock_constants.ts";
export { FileDescriptor } from "../fd/file_descriptor.ts";
export { pipe } from "../fd/pipe.ts";
export { type AnySocket, Socket } from "./socket.ts";
export { type SocketPair, socketpair } from "./socketpair.ts";
export { createConnection } from "./connection.ts";
export { createServer, type ServerOptions } from "./server.ts";
export { OSError } from "../errno.ts";
export { tcpInfo } from "./tcp_info.ts";
export type { TcpInfo, TcpState } from "./tcp_info_types.ts";
export { notify } from "./notify.ts";
export { sendFile } from "./send_file.ts";
export { tryConnect } from "./try_connect.ts";
export { type QueuedError, queuedError } from "./queued_error.ts";
export { resolve, type ResolveOptions } from "./resolve.ts";
export { type ListenFd, listenFds } from "./activation.ts";
export type { ControlMessage, Credentials } from "./control.ts";
export { interfaceIndex, interfaceName } from "./interfaces.ts";
export { receiveMessages, type ReceiveMessagesOptions, sendMessages } from "./messages.ts";
export {
  type MessageInfo,
  type OutgoingMessage,
  type ReceivedMessage,
  receiveMessage,
  type ReceiveMessageOptions,
  sendMessage,
  type SendMessageOptions,
} from "./message.ts";
export type { Interface } from "./multicast_group.ts";
export { joinSourceGroup, leaveSourceGroup } from "./source_groups.ts";
export {
  joinGroup,
  leaveGroup,
  setMulticastHops,
  setMulticastInterface,
  setMulticastLoop,
} from "./multicast.ts";
export { type NetworkInterface, networkInterfaces } from "./network_interfaces.ts";
export {
  getOptionBytes,
  type KeepAlive,
  peerCredentials,
  setKeepAlive,
  setLinger,
} from "./options.ts";
export {
  ETH_P_ALL,
  ETH_P_ARP,
  ETH_P_IP,
  ETH_P_IPV6,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_MULTICAST,
  PACKET_OTHERHOST,
  PACKET_OUTGOING,
  PACKET_STATISTICS,
  type PacketAddress,
  SOL_PACKET,
} from "./packet.ts";
