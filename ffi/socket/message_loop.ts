/**
 * Several messages with a system call for each, for systems that have no call for all of them.
 *
 * @module
 */

import type { SocketAddress } from "./address.ts";
import { type MessageInfo, type OutgoingMessage, receiveMessage, sendMessage } from "./message.ts";
import type { RawAddress } from "./raw_address.ts";
import type { PacketAddress } from "./packet.ts";
import type { Socket } from "./socket.ts";

/** A message that inherits nothing: `Object.prototype` may be polluted. */
export interface OwnMessage<Address extends SocketAddress | PacketAddress>
  extends Required<Omit<OutgoingMessage<Address>, "address">> {
  readonly address: Address | RawAddress | undefined;
}

/** Does what `receiveMessages()` does, with checked arguments. */
export function receiveOneByOne<Address extends SocketAddress | PacketAddress>(
  socket: Socket<Address>,
  buffers: readonly Uint8Array[],
  controlSize: number,
  flags: number,
): MessageInfo<Address>[] | null {
  const messages: MessageInfo<Address>[] = [];
  try {
    for (const buffer of buffers) {
      const message = receiveMessage(socket, buffer, { controlSize, flags });
      if (message === null) break;
      messages.push(message);
    }
  } catch (error) {
    if (messages.length === 0) throw error;
  }
  return messages.length === 0 ? null : messages;
}

/** Does what `sendMessages()` does, with checked arguments. */
export function sendOneByOne<Address extends SocketAddress | PacketAddress>(
  socket: Socket<Address>,
  messages: readonly OwnMessage<Address>[],
  flags: number,
): number | null {
  let sent = 0;
  try {
    for (const { data, address, control } of messages) {
      const to = address === undefined ? {} : { address };
      if (sendMessage(socket, data, { ...to, control, flags }) === null) break;
      sent++;
    }
  } catch (error) {
    if (sent === 0) throw error; // Otherwise the number sent would be lost.
  }
  return sent === 0 ? null : sent;
}
