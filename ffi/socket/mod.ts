/**
 * Sockets for use with a selector: thin classes and functions over the system's own calls. Deno's
 * own connections do not have a descriptor that a selector could wait for.
 *
 * @module
 */

export type { HasFileno } from "../descriptor.ts";
export type { SocketAddress } from "./address.ts";
export type { InternetAddress } from "./internet_address.ts";
export type { UnixAddress } from "./unix_address.ts";
export * from "./constants.ts";
export { FileDescriptor } from "../fd/file_descriptor.ts";
export { pipe } from "../fd/pipe.ts";
export { type AnySocket, Socket } from "./socket.ts";
export { socketpair } from "./socketpair.ts";
export { OSError } from "../errno.ts";
export { type ListenFd, listenFds } from "./activation.ts";
export type { ControlMessage, Credentials } from "./control.ts";
export { interfaceIndex, interfaceName } from "./interfaces.ts";
export {
  type ReceivedMessage,
  receiveMessage,
  type ReceiveMessageOptions,
  sendMessage,
  type SendMessageOptions,
} from "./message.ts";
export {
  type Interface,
  joinGroup,
  leaveGroup,
  setMulticastHops,
  setMulticastInterface,
  setMulticastLoop,
} from "./multicast.ts";
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
