/**
 * Thin sockets, pipes and descriptors over the system's own calls, for use with a selector: Deno's
 * own connections tell no descriptor.
 *
 * @module
 */

export type { HasFileno } from "../descriptor.ts";
export type { InternetAddress, SocketAddress, UnixAddress } from "./address.ts";
export * from "./constants.ts";
export { FileDescriptor } from "../fd/file_descriptor.ts";
export { pipe } from "../fd/pipe.ts";
export { type AnySocket, Socket, socketpair } from "./socket.ts";
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
