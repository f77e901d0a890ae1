import { abi } from "../../abi/mod.ts";
import type { MessageCalls } from "../platform.ts";
import { keepErrno, lastErrno } from "./calls.ts";
import { calls } from "./sockets.ts";

const { AF_INET, MSG_CTRUNC, MSG_TRUNC, SOCK_DGRAM } = abi.constants;
const { EMSGSIZE } = abi.errno;

/** The identifier of `WSARecvMsg`. */
const WSAID_WSARECVMSG = new Uint8Array(
  [0xc8, 0xd7, 0x89, 0xf6, 0x1f, 0x6f, 0x6b, 0x43, 0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22],
);

/** Opens the calls that move messages. */
export function openMessageCalls(): MessageCalls {
  const WSARecvMsg = openWSARecvMsg();
  const size = new Uint32Array(1);
  return {
    sendmsg(fd, header, flags) {
      const result = calls().WSASendMsg(fd, header, flags, size, null, null);
      return result < 0 ? result : size[0]!;
    },
    recvmsg(fd, header, flags, room) {
      const [at] = abi.messages!.msghdr.fields.msg_flags;
      header.setUint32(at, flags, true);
      if (WSARecvMsg(fd, header, size, null, null) === 0) return size[0]!;
      if (lastErrno() !== EMSGSIZE) return -1;
      // Either the datagram or its control data was cut. Wine sets no flag for the datagram.
      const received = header.getUint32(at, true);
      if ((received & (MSG_TRUNC | MSG_CTRUNC)) === MSG_CTRUNC) return size[0]!;
      header.setUint32(at, received | MSG_TRUNC, true);
      return room;
    },
  };
}

/** Opens the call that no library exports: Winsock returns its address. */
function openWSARecvMsg() {
  const definition = {
    __proto__: null,
    parameters: ["i32", "buffer", "buffer", "pointer", "pointer"],
    result: "i32",
  } as const;
  const fd = calls().socket(AF_INET, SOCK_DGRAM, 0);
  const address = new BigUint64Array(1);
  const size = new Uint32Array(1);
  const { SIO_GET_EXTENSION_FUNCTION_POINTER: code } = abi.winsock!.constants;
  const id = WSAID_WSARECVMSG;
  const result = calls().WSAIoctl(fd, code, id, id.length, address, 8, size, null, null);
  const errno = lastErrno();
  if (fd >= 0) calls().closesocket(fd);
  if (result < 0) {
    throw new Deno.errors.NotSupported(`Cannot open WSARecvMsg: Winsock's error is ${errno}`);
  }
  const pointer = new Deno.UnsafeFnPointer(Deno.UnsafePointer.create(address[0]!)!, definition);
  return keepErrno((...args: Parameters<typeof pointer.call>) => pointer.call(...args));
}
